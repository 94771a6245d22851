/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CRC-32C engine: Castagnoli polynomial, reflected, inverted before and after (RFC 3720 §B.4). The seed is the
 * CRC of what came before, so a long buffer may be given in pieces. Computed with eight tables, eight bytes a step.
 */
#include "models/accel/accel_internal.h"

#define CRC32C_POLYNOMIAL 0x82f63b78u /* reflected */

static uint32_t tables[8][256];

static void crc32c_make_tables(void)
{
	if (tables[0][1])
		return;
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ CRC32C_POLYNOMIAL : crc >> 1;
		tables[0][byte] = crc;
	}
	for (uint32_t byte = 0; byte < 256; byte++) {
		for (unsigned int t = 1; t < 8; t++)
			tables[t][byte] =
				tables[t - 1][byte] >> 8 ^ tables[0][tables[t - 1][byte] & 0xff];
	}
}

static void crc32c_start(struct engine_job *job)
{
	crc32c_make_tables();
	job->crc = ~job->request->sqe.seed;
}

static void crc32c_consume(struct engine_job *job, const uint8_t *data, uint32_t bytes)
{
	uint32_t crc = job->crc;

	for (; bytes >= 8; data += 8, bytes -= 8) {
		uint32_t low = crc ^ load_le32(data);
		uint32_t high = load_le32(data + 4);

		crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^
		      tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^ tables[3][high & 0xff] ^
		      tables[2][high >> 8 & 0xff] ^ tables[1][high >> 16 & 0xff] ^
		      tables[0][high >> 24];
	}
	while (bytes--)
		crc = crc >> 8 ^ tables[0][(crc ^ *data++) & 0xff];
	job->crc = crc;
}

static uint32_t crc32c_result(const struct engine_job *job)
{
	return ~job->crc;
}

const struct engine_ops engine_crc32c_ops = {
	.name = "crc32c",
	.opcode = SQE_OP_CRC32C,
	.in_order = true,
	.start = crc32c_start,
	.consume = crc32c_consume,
	.result = crc32c_result,
};
