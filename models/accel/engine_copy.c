/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The copy engine: passes bursts from source to destination through staging buffers. Bursts are written as
 * they arrive, in any order: ranges that overlap give what memcpy() may give, not what memmove() gives.
 */
#include "models/accel/accel_internal.h"

const struct engine_ops engine_copy_ops = {
	.name = "copy",
	.opcode = SQE_OP_COPY,
	.writes = true,
};
