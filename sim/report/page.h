/* SPDX-License-Identifier: BSD-3-Clause */
/* The report's page, in two parts: between them stands its data, as JSON without any '<'. */
#ifndef SIM_REPORT_PAGE_H
#define SIM_REPORT_PAGE_H

#include <stddef.h>

extern const char report_page_before[], report_page_after[];
extern const size_t report_page_before_size, report_page_after_size;

#endif
