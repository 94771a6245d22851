/* SPDX-License-Identifier: BSD-3-Clause */
/* Simulated RAM: where it lies, what is inside. */
#include "models/mem/ram.h"

#include <errno.h>

#include "tests/models-mem/harness.h"

#define HOST UINT64_C(0x200000000000)
#define BASE UINT64_C(0x80000000)

static struct ram ram, second;

START_TEST(test_ram_lies_where_it_was_asked_for)
{
	ck_assert_int_eq(ram_init(&ram, HOST, BASE, 1 << 20), 0);
	ck_assert_ptr_eq(ram.host, (void *)(uintptr_t)HOST);
	errno = 0;
	ck_assert_int_eq(ram_init(&second, HOST + 4096, BASE, 4096), -1);
	ck_assert_int_eq(errno, EEXIST);
	ram_destroy(&ram);
	ram_destroy(&ram); /* harmless */
	ck_assert_int_eq(ram_init(&second, HOST + 4096, BASE, 4096), 0);
	ram_destroy(&second);
}
END_TEST

START_TEST(test_a_terabyte_costs_what_is_touched)
{
	ck_assert_int_eq(ram_init(&ram, HOST, 0, RAM_MAX_BYTES), 0);
	for (uint64_t pa = 0; pa < RAM_MAX_BYTES; pa += RAM_MAX_BYTES / 64) {
		uint8_t *byte = ram_host(&ram, pa, 1);

		ck_assert_uint_eq(*byte, 0);
		*byte = 1;
	}
	ram_destroy(&ram);
}
END_TEST

static const struct {
	uint64_t pa, len;
	bool inside;
} bounds[] = {
	{BASE, 1, true},
	{BASE, 8192, true},
	{BASE + 8191, 1, true},
	{BASE + 8192, 0, true},
	{BASE + 8192, 1, false},
	{BASE + 8191, 2, false},
	{BASE, 8193, false},
	{BASE - 1, 1, false},
	{0, 1, false},
	{UINT64_MAX, 1, false},
	{BASE + 1, UINT64_MAX, false},
};

START_TEST(test_only_what_lies_wholly_inside_has_a_host_pointer)
{
	ck_assert_int_eq(ram_init(&ram, 0, BASE, 8192), 0);

	uint8_t *host = ram_host(&ram, bounds[_i].pa, bounds[_i].len);

	if (bounds[_i].inside)
		ck_assert_ptr_eq(host, ram.host + (bounds[_i].pa - BASE));
	else
		ck_assert_ptr_null(host);
	ram_destroy(&ram);
}
END_TEST

static const struct {
	uint64_t base, bytes;
} refused[] = {{0, 0}, {0, 100}, {0, RAM_MAX_BYTES + 4096}, {UINT64_MAX - 4095, 8192}};

START_TEST(test_impossible_sizes_are_refused)
{
	errno = 0;
	ck_assert_int_eq(ram_init(&ram, 0, refused[_i].base, refused[_i].bytes), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ram");
	TCase *tc = tcase_create("ram");

	tcase_add_test(tc, test_ram_lies_where_it_was_asked_for);
	tcase_add_test(tc, test_a_terabyte_costs_what_is_touched);
	tcase_add_loop_test(tc, test_only_what_lies_wholly_inside_has_a_host_pointer, 0,
			    ARRAY_SIZE(bounds));
	tcase_add_loop_test(tc, test_impossible_sizes_are_refused, 0, ARRAY_SIZE(refused));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
