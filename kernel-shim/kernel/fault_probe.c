/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instruments: what happens in the machine, and when, does not depend on whether anybody looks. The functions of the
 * SVA stack are compiled with enter and exit hooks; calls between its objects at which an I/O page fault changes hands
 * (iommu_report_device_fault, iopf_group_response) are led through here at link time (ld --wrap), so that the stages of
 * a fault get their times without touching the kernel's source. Before a fault's answer the CPU catches up with
 * simulated time, in every run.
 */
#include <linux/hrtimer.h>
#include <linux/iommu.h>
#include <linux/workqueue.h>

#include "kernel.h"

#define NO_INSTRUMENT __attribute__((no_instrument_function))

void NO_INSTRUMENT __cyg_profile_func_enter(void *function, void *call_site);
void NO_INSTRUMENT __cyg_profile_func_enter(void *function, void *call_site)
{
	if (host->trace_on && this_cpu())
		host->trace_function_enter(current->pid, function, shim_local_time());
}

void NO_INSTRUMENT __cyg_profile_func_exit(void *function, void *call_site);
void NO_INSTRUMENT __cyg_profile_func_exit(void *function, void *call_site)
{
	if (host->trace_on && this_cpu())
		host->trace_function_exit(current->pid, shim_local_time());
}

/* ---- time that is added to a stage ------------------------------------------------------------------------ */

static u64 extra_ps(enum ki_fault_extra extra)
{
	u64 mean = (u64)kparams.fault_extra_ns[extra] * PS_PER_NS;

	return mean && host->fault_draw ? host->fault_draw(extra, mean) : mean;
}

void shim_fault_extra_wait(enum ki_fault_extra extra)
{
	ktime_t wait = ns_to_ktime(extra_ps(extra) / PS_PER_NS);

	if (!wait)
		return;
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_hrtimeout_range(&wait, 0, HRTIMER_MODE_REL);
}

/* The code is slower: the CPU is busy with it */
static void be_slower(enum ki_fault_extra extra)
{
	u64 ps = extra_ps(extra);

	if (!ps)
		return;
	shim_charge_ps(ps);
	shim_sync();
}

/* ---- parts of a handler's time ------------------------------------------------------------------------------ */

unsigned int shim_fault_part_begin(unsigned int part)
{
	struct shim_task *me = shim_task(current);
	unsigned int before = me->part;
	u64 now = shim_local_time();

	me->parts[before] += now - me->part_since;
	me->part_since = now;
	me->part = part;
	return before;
}

/* What the work items of faults call: the one that is queued while a fault is being reported */
static work_func_t fault_work;

void fault_probe_work_begins(work_func_t func)
{
	struct shim_task *me = shim_task(current);

	if (func != fault_work)
		return;
	shim_fault_extra_wait(KI_EXTRA_WORKER);
	me->work_started = shim_local_time();
	me->parts_kept = true;
	me->part = KI_PART_PREPARE;
	me->part_since = me->work_started;
	memset(me->parts, 0, sizeof(me->parts));
}

void fault_probe_work_ended(void)
{
	shim_task(current)->parts_kept = false;
}

void __real_down_read(struct rw_semaphore *sem);
void __wrap_down_read(struct rw_semaphore *sem);
void __wrap_down_read(struct rw_semaphore *sem)
{
	unsigned int before = shim_fault_part(KI_PART_MMAP_LOCK);

	__real_down_read(sem);
	shim_fault_part(before);
}

/* ---- stages of an I/O page fault --------------------------------------------------------------------------- */

static void stamp(struct device *dev, u32 stag, enum ki_fault_stage stage, u64 at)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);

	if (fwspec && fwspec->num_ids && host->fault_stamp)
		host->fault_stamp(fwspec->ids[0], stag, stage, at);
}

int __real_iommu_report_device_fault(struct device *dev, struct iopf_fault *evt);
int __wrap_iommu_report_device_fault(struct device *dev, struct iopf_fault *evt);
int __wrap_iommu_report_device_fault(struct device *dev, struct iopf_fault *evt)
{
	struct shim_task *me = shim_task(current);
	int error;

	if (evt->fault.type != IOMMU_FAULT_PAGE_REQ)
		return __real_iommu_report_device_fault(dev, evt);
	be_slower(KI_EXTRA_DRIVER);
	stamp(dev, evt->fault.prm.grpid, KI_FAULT_DRIVER, shim_local_time());
	me->reported_dev = dev;
	me->reported_stag = evt->fault.prm.grpid;
	error = __real_iommu_report_device_fault(dev, evt);
	me->reported_dev = NULL;
	return error;
}

/* Once the work item is queued a worker on another CPU may be ahead of the one who queues it. */
void fault_probe_work_queued(const struct work_struct *work)
{
	struct shim_task *me = shim_task(current);

	if (!me->reported_dev)
		return;
	fault_work = work->func;
	stamp(me->reported_dev, me->reported_stag, KI_FAULT_REPORTED, shim_local_time());
	me->reported_dev = NULL;
}

/* The handler has left handle_mm_fault() at mm_left; what came after is the response's. */
static void report_parts(struct device *dev, u32 stag, struct shim_task *me)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);

	shim_fault_part_begin(KI_PART_PREPARE);
	me->parts[KI_PART_PREPARE] -= me->part_since - me->mm_left;
	if (fwspec && fwspec->num_ids && host->fault_parts)
		host->fault_parts(fwspec->ids[0], stag, me->parts);
}

void __real_iopf_group_response(struct iopf_group *group, enum iommu_page_response_code status);
void __wrap_iopf_group_response(struct iopf_group *group, enum iommu_page_response_code status);
void __wrap_iopf_group_response(struct iopf_group *group, enum iommu_page_response_code status)
{
	struct shim_task *me = shim_task(current);
	struct device *dev = group->fault_param->dev;
	u32 stag = group->last_fault.fault.prm.grpid;

	be_slower(KI_EXTRA_RESPOND);
	stamp(dev, stag, KI_FAULT_WORKER, me->work_started);
	/* Without handle_mm_fault(), as for an address outside of any VMA, its stages are empty */
	if (me->mm_entered >= me->work_started) {
		stamp(dev, stag, KI_FAULT_MM, me->mm_entered);
		stamp(dev, stag, KI_FAULT_MM_DONE, me->mm_left);
		report_parts(dev, stag, me);
	}
	/*
	 * From here on the SMMU may be the next: its stage begins before the command is written. Another CPU may hand the
	 * command over together with its own, at a time that this CPU's must not be ahead of.
	 */
	shim_sync();
	stamp(dev, stag, KI_FAULT_RESPONDED, shim_local_time());
	__real_iopf_group_response(group, status);
}
