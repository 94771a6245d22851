/* SPDX-License-Identifier: BSD-3-Clause */
/* svasim report: what its two parts share. */
#ifndef SIM_CLI_REPORT_H
#define SIM_CLI_REPORT_H

#include <jansson.h>

/*
 * A sweep's database as the page wants it, see docs/report.md. 0, or CLI_EXIT_USER_ERROR: it has been said what is
 * wrong. The caller owns *data.
 */
int report_data_read(const char *path, json_t **data);

#endif
