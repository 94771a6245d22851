/* SPDX-License-Identifier: BSD-3-Clause */
/* A CPU's device accesses alone, between a kernel that only adds up time and a device that takes its time. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sim/platform/machine.h"

#define DEVICE_LATENCY SIM_NS(100)
#define POSTED	       3u
#define STORE_COST_NS  7u
#define ACCESSES_MAX   64u

/* ---- the kernel --------------------------------------------------------------------------------- */

static sim_time charged;

static void fake_charge(ki_u64 ps)
{
	charged += ps;
}

static const struct kernel_ops fake_kernel = {.charge = fake_charge};

/* ---- the device: writes are remembered, a read of an address gives that address ------------------- */

struct access {
	struct sim_event done;
	struct sim_txn *txn;
	sim_time arrived;
	uint64_t addr, value;
	uint32_t len;
	bool write;
};

static struct access accesses[ACCESSES_MAX];
static unsigned int access_count, in_flight, most_in_flight;
static enum sim_response response;

static void device_done(void *arg)
{
	struct access *access = arg;

	in_flight--;
	if (!access->write)
		memcpy(access->txn->data, &access->addr, access->len);
	sim_txn_complete(access->txn, response);
}

static void device_request(void *target, struct sim_txn *txn)
{
	struct access *access = &accesses[access_count++];

	(void)target;
	ck_assert_uint_lt(access_count, ACCESSES_MAX);
	access->txn = txn;
	access->arrived = sim_now();
	access->addr = txn->addr;
	access->len = txn->len;
	access->write = txn->cmd == SIM_WRITE;
	if (access->write)
		memcpy(&access->value, txn->data, txn->len);
	if (++in_flight > most_in_flight)
		most_in_flight = in_flight;
	sim_event_init(&access->done, device_done, access);
	sim_event_after(&access->done, DEVICE_LATENCY);
}

/* In place of wiring.cpp */
struct sim_port machine_cpu_port(struct machine *machine, unsigned int cpu)
{
	(void)machine;
	(void)cpu;
	return (struct sim_port){.request = device_request};
}

/* ---- one machine --------------------------------------------------------------------------------- */

static struct platform_config config;
static struct machine machine;
static struct mmu *no_mmus[2];

static void setup(void)
{
	config.machine.cpus = 2;
	config.cpu.posted_writes = POSTED;
	config.cpu.mmio_write_ns = STORE_COST_NS;
	config.cpu.barrier_ns = 1;
	machine.config = &config;
	machine.kernel = &fake_kernel;
	machine.mmus = no_mmus;
	machine.stats = stats_new();
	machine.cpus = cpus_new(&machine);
	cpus_register_stats(&machine, machine.stats);
	cpu_fill_ops(&machine.ops);
	the_machine = &machine;
}

static void teardown(void)
{
	cpus_free(machine.cpus);
	stats_free(machine.stats);
}

static uint64_t metric(const char *name)
{
	double value = 0;

	ck_assert(stats_get(machine.stats, name, &value));
	return (uint64_t)value;
}

static void run(void (*program)(void *arg))
{
	sim_thread_start("program", program, NULL);
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
}

/* ---- tests --------------------------------------------------------------------------------------- */

static void store_ten(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 10; i++)
		machine.ops.mmio_write(0, 0x1000 + 8 * i, 0x1111111111111111u * i, 8);
}

START_TEST(test_device_stores_are_posted_in_order_and_bounded)
{
	run(store_ten);
	ck_assert_uint_eq(access_count, 10);
	ck_assert_uint_eq(most_in_flight, POSTED);
	for (unsigned int i = 0; i < 10; i++) {
		ck_assert_uint_eq(accesses[i].addr, 0x1000 + 8 * i);
		ck_assert_uint_eq(accesses[i].value, 0x1111111111111111u * i);
		/* the fourth waits for the first, and so on */
		ck_assert_uint_eq(accesses[i].arrived, i / POSTED * DEVICE_LATENCY);
	}
	ck_assert_uint_eq(charged, SIM_NS(10 * STORE_COST_NS));
	ck_assert_uint_eq(metric("cpu.device_stores"), 10);
}
END_TEST

static void two_cpus_store(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 2 * POSTED; i++)
		machine.ops.mmio_write(i % 2, i, i, 4);
	ck_assert_uint_eq(sim_now(), 0);
}

START_TEST(test_each_cpu_has_posted_stores_of_its_own)
{
	run(two_cpus_store);
	ck_assert_uint_eq(most_in_flight, 2 * POSTED);
}
END_TEST

static void store_and_load(void *arg)
{
	(void)arg;
	machine.ops.mmio_write(0, 0x1000, 5, 4);
	ck_assert_uint_eq(machine.ops.mmio_read(0, 0x2004, 4), 0x2004);
	ck_assert_uint_eq(sim_now(), 2 * DEVICE_LATENCY);
}

START_TEST(test_a_load_waits_for_earlier_stores)
{
	run(store_and_load);
	ck_assert_uint_eq(access_count, 2);
	ck_assert_uint_eq(most_in_flight, 1);
	ck_assert_uint_eq(metric("cpu.device_loads"), 1);
}
END_TEST

static void store_and_barrier(void *arg)
{
	(void)arg;
	machine.ops.mmio_write(0, 0x1000, 5, 4);
	machine.ops.barrier(1); /* another CPU's does not wait */
	ck_assert_uint_eq(sim_now(), 0);
	machine.ops.barrier(0);
	ck_assert_uint_eq(sim_now(), DEVICE_LATENCY);
	ck_assert_uint_eq(in_flight, 0);
}

START_TEST(test_a_barrier_waits_for_its_cpus_stores)
{
	run(store_and_barrier);
}
END_TEST

static void access_nothing(void *arg)
{
	(void)arg;
	ck_assert_uint_eq(machine.ops.mmio_read(0, 0x10, 1), 0xff);
	ck_assert_uint_eq(machine.ops.mmio_read(0, 0x10, 2), 0xffff);
	ck_assert_uint_eq(machine.ops.mmio_read(0, 0x10, 4), 0xffffffff);
	ck_assert_uint_eq(machine.ops.mmio_read(0, 0x10, 8), UINT64_MAX);
	machine.ops.mmio_write(0, 0x10, 1, 8);
	machine.ops.barrier(0);
}

START_TEST(test_what_nothing_answers_reads_as_ones_and_is_counted)
{
	response = SIM_DECERR;
	run(access_nothing);
	ck_assert_uint_eq(metric("cpu.bus_errors"), 5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cpu");
	TCase *tcase = tcase_create("cpu");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_device_stores_are_posted_in_order_and_bounded);
	tcase_add_test(tcase, test_each_cpu_has_posted_stores_of_its_own);
	tcase_add_test(tcase, test_a_load_waits_for_earlier_stores);
	tcase_add_test(tcase, test_a_barrier_waits_for_its_cpus_stores);
	tcase_add_test(tcase, test_what_nothing_answers_reads_as_ones_and_is_counted);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
