/* SPDX-License-Identifier: BSD-3-Clause */
/* What part of simulated time a trace covers, from the file alone. */
#ifndef SIM_TRACE_EXTENT_H
#define SIM_TRACE_EXTENT_H

#include <stdint.h>

struct trace_extent {
	uint64_t first_ns, last_ns; /* of the first and the last event; 0 and 0 if there is none */
};

/*
 * Reads a trace that svasim wrote; what was cut off at its end is left out. 0, or -1 with errno
 * set: EILSEQ if it is not such a trace.
 */
int trace_read_extent(const char *path, struct trace_extent *extent);

#endif
