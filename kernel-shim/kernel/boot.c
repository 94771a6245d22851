/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's beginning and end, and the entries from the simulator: boot, shutdown, system calls, exceptions,
 * interrupts. The order of boot is init/main.c's, as far as the image has the parts.
 */
#include <linux/async.h>
#include <linux/device/bus.h>
#include <linux/hardirq.h>
#include <linux/init.h>
#include <linux/maple_tree.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/radix-tree.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/task_work.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>
#include <uapi/asm-generic/errno.h>

#include "kernel.h"

#define MAX_SYSCALL 512

extern const struct kernel_param __start___param[], __stop___param[];

enum system_states system_state = SYSTEM_BOOTING;
bool initcall_debug;

static const struct shim_syscall *syscalls[MAX_SYSCALL];
static char command_line[1024];

void __weak shim_base_init(void)
{
}

void __weak shim_fs_init(void)
{
}

/* ---- system calls --------------------------------------------------------------------------------------- */

static s64 sys_sched_setaffinity_shim(const u64 args[7])
{
	return -ENOSYS; /* tasks run anywhere: a program must not believe otherwise */
}

const struct shim_syscall shim_syscalls_kernel[] = {
	{93, "exit", sys_exit_shim},
	{94, "exit_group", sys_exit_group_shim},
	{96, "set_tid_address", sys_set_tid_address_shim},
	{98, "futex", sys_futex_shim},
	{101, "nanosleep", sys_nanosleep_shim},
	{113, "clock_gettime", sys_clock_gettime_shim},
	{115, "clock_nanosleep", sys_clock_nanosleep_shim},
	{122, "sched_setaffinity", sys_sched_setaffinity_shim},
	{124, "sched_yield", sys_sched_yield_shim},
	{129, "kill", sys_kill_shim},
	{131, "tgkill", sys_tgkill_shim},
	{140, "setpriority", sys_setpriority_shim},
	{141, "getpriority", sys_getpriority_shim},
	{172, "getpid", sys_getpid_shim},
	{173, "getppid", sys_getppid_shim},
	{178, "gettid", sys_gettid_shim},
	{220, "clone", sys_clone_shim},
	{260, "wait4", sys_wait4_shim},
	{0, NULL, NULL},
};

static void syscalls_add(const struct shim_syscall *table)
{
	for (; table->name; table++)
		if (table->number < MAX_SYSCALL)
			syscalls[table->number] = table;
}

/* From user mode into the kernel and back; false if the kernel itself is the caller (self-tests, uaccess) */
static bool user_leave(void)
{
	struct shim_sched *sched;

	cpu_enter();
	sched = sched_of(current);
	if (!sched->in_user)
		return false;
	sched->in_user = false;
	return true;
}

static void user_return(bool from_user)
{
	if (!from_user)
		return;
	/* Files that were closed for the last time while locks were held are released here */
	if (task_work_pending(current))
		task_work_run();
	cpu_catch_up(this_cpu());
	sched_of(current)->in_user = true;
	cpu_user_sync();
}

static s64 restart_as_error(s64 result)
{
	switch (result) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return -EINTR;
	default:
		return result;
	}
}

static ki_s64 op_syscall(ki_u64 number, const ki_u64 args[7])
{
	bool from_user = user_leave();
	s64 result = -ENOSYS;

	kcounters.syscalls++;
	shim_charge_ns(kparams.syscall_ns);
	if (number < MAX_SYSCALL && syscalls[number])
		result = restart_as_error(syscalls[number]->fn((const u64 *)args));
	user_return(from_user);
	return result;
}

static int op_page_fault(ki_u64 va, unsigned int access)
{
	bool from_user = user_leave();
	int error;

	if (from_user)
		shim_charge_ns(kparams.exception_ns);
	error = shim_mm_page_fault(va, access);
	if (error && access & KI_USER)
		shim_send_fatal_signal(current, SIGSEGV);
	user_return(from_user);
	return error;
}

/* Hot removal, in the context of the current task as the process that asks for it */
static void op_remove_device(unsigned int index)
{
	bool from_user = user_leave();

	shim_device_remove(index);
	user_return(from_user);
}

/* ---- boot ------------------------------------------------------------------------------------------------------ */

/* Parameters that are not a module's: early_param() has the name, __setup() the name with its '=' */
static int setup_parameter(char *param, char *value, const char *unused, void *arg)
{
	const struct obs_kernel_param *setup;
	size_t length = strlen(param);

	for (setup = __setup_start; setup < __setup_end; setup++) {
		if (strncmp(setup->str, param, length) ||
		    (setup->str[length] && strcmp(setup->str + length, "=")))
			continue;
		/* The two kinds say "good" differently */
		if (setup->early == (setup->setup_func(value) != 0))
			pr_warn("kernel parameter '%s': bad value\n", param);
		return 0;
	}
	pr_warn("unknown kernel parameter '%s'\n", param);
	return 0;
}

static void parse_parameters(void)
{
	strscpy(command_line, boot_params->command_line ? boot_params->command_line : "",
		sizeof(command_line));
	parse_args("kernel", command_line, __start___param,
		   (unsigned int)(__stop___param - __start___param), -1, 7, NULL, setup_parameter);
}

static void do_initcalls(void)
{
	initcall_entry_t *entry;

	for (entry = __initcall_start; entry < __initcall_end; entry++) {
		int error = initcall_from_entry(entry)();

		if (error)
			pr_err("initcall %ld failed: %d\n", (long)(entry - __initcall_start),
			       error);
		cond_resched();
	}
}

static void early_init(const struct machine_ops *machine_ops)
{
	cpus_init(machine_ops);
	random_init_seed(host->seed);
	timers_init();
	irqs_init();
	sched_init();
	shim_mm_init();
	wait_bit_init();
	radix_tree_init();
	maple_tree_init();
	rcu_shim_init();
	workqueues_init();
	srcu_init();
	rcu_scheduler_starting(); /* from here on synchronize_srcu() really waits */
	async_init();
	processes_init();
	syscalls_add(shim_syscalls_kernel);
	syscalls_add(shim_syscalls_mm);
	syscalls_add(shim_syscalls_fs);
}

static int op_boot(const struct machine_ops *machine_ops, const struct boot_params *params)
{
	int error;

	boot_params = params;
	kparams = params->params;
	if (params->abi != KERNEL_IMAGE_ABI || machine_ops->nr_cpus == 0 ||
	    machine_ops->nr_cpus > SHIM_MAX_CPUS) {
		machine_ops->log(3, "kernel: the machine's ABI or number of CPUs does not fit");
		return -EINVAL;
	}
	early_init(machine_ops);
	system_state = SYSTEM_SCHEDULING;
	parse_parameters();
	shim_base_init();
	driver_init();
	shim_fs_init();
	do_initcalls();
	workqueues_baseline();
	system_state = SYSTEM_RUNNING;
	error = shim_devices_add();
	async_synchronize_full();
	shim_sync();
	return error;
}

static int op_shutdown(void)
{
	int leaks;

	cpu_enter();
	processes_end();
	shim_devices_remove();
	async_synchronize_full();
	drain_workqueue(system_wq);
	drain_workqueue(system_unbound_wq);
	drain_workqueue(system_long_wq);
	rcu_drain();
	drain_workqueue(system_wq);
	rcu_drain();
	tasks_reap();
	leaks = locks_check_leaks() + processes_check_leaks() + workqueues_check_leaks() +
		shim_irq_check_leaks() + shim_fs_check_leaks() + shim_mm_check_leaks();
	shim_sync();
	return leaks;
}

/* ---- the other entries ----------------------------------------------------------------------------------------- */

static int op_spawn(const char *name, void (*entry)(void *arg), void *arg)
{
	cpu_enter();
	return process_spawn(name, entry, arg);
}

static int op_wait(int pid)
{
	cpu_enter();
	return process_wait(pid);
}

static int op_user_must_exit(void)
{
	cpu_enter();
	return user_must_exit();
}

static void op_charge(ki_u64 ps)
{
	cpu_enter()->local += ps;
}

static void op_sync(void)
{
	cpu_enter();
	shim_sync();
}

static ki_u64 op_local_time(void)
{
	cpu_enter();
	return shim_local_time();
}

static unsigned int op_current_cpu(void)
{
	return cpu_enter()->id;
}

static int op_current_tid(void)
{
	cpu_enter();
	return current->pid;
}

static int op_poll_wait(ki_u64 when)
{
	cpu_enter();
	return cpu_poll_wait(when);
}

static void op_counters(struct kernel_counters *out)
{
	*out = kcounters;
}

/* ---- self-tests ------------------------------------------------------------------------------------------------ */

extern const struct shim_selftest *const __svasim_selftest_start[], *const __svasim_selftest_end[];

static int op_self_test(const char *name, int index, const char **name_out)
{
	const struct shim_selftest *const *test = __svasim_selftest_start;
	int count = (int)(__svasim_selftest_end - __svasim_selftest_start), i;

	for (i = 0; i < count; i++) {
		if (name ? strcmp(test[i]->name, name) : i != index)
			continue;
		if (name_out)
			*name_out = test[i]->name;
		if (!name)
			return 0;
		cpu_enter();
		return test[i]->fn();
	}
	return -1;
}

const struct kernel_ops svasim_kernel = {
	.abi = KERNEL_IMAGE_ABI,
	.version = SVASIM_LINUX_VERSION,
	.boot = op_boot,
	.shutdown = op_shutdown,
	.spawn = op_spawn,
	.wait = op_wait,
	.syscall = op_syscall,
	.page_fault = op_page_fault,
	.remove_device = op_remove_device,
	.user_must_exit = op_user_must_exit,
	.charge = op_charge,
	.sync = op_sync,
	.local_time = op_local_time,
	.current_cpu = op_current_cpu,
	.current_tid = op_current_tid,
	.poll_wait = op_poll_wait,
	.interrupt = irq_raise,
	.sev = cpus_send_event,
	.peek_va = process_peek,
	.counters = op_counters,
	.self_test = op_self_test,
};
