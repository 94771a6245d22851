/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instruments: what happens in the machine, and when, does not depend on whether anybody looks. The functions of the
 * SVA stack are compiled with enter and exit hooks; calls between its objects at which an I/O page fault changes hands
 * (iommu_report_device_fault, iopf_group_response) are led through here at link time (ld --wrap), so that the stages of
 * a fault get their times without touching the kernel's source. Before a fault's answer the CPU catches up with
 * simulated time, in every run.
 */
#include <linux/iommu.h>

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
	stamp(dev, evt->fault.prm.grpid, KI_FAULT_DRIVER, shim_local_time());
	me->reported_dev = dev;
	me->reported_stag = evt->fault.prm.grpid;
	error = __real_iommu_report_device_fault(dev, evt);
	me->reported_dev = NULL;
	return error;
}

/* Once the work item is queued a worker on another CPU may be ahead of the one who queues it. */
void fault_probe_work_queued(void)
{
	struct shim_task *me = shim_task(current);

	if (!me->reported_dev)
		return;
	stamp(me->reported_dev, me->reported_stag, KI_FAULT_REPORTED, shim_local_time());
	me->reported_dev = NULL;
}

void __real_iopf_group_response(struct iopf_group *group, enum iommu_page_response_code status);
void __wrap_iopf_group_response(struct iopf_group *group, enum iommu_page_response_code status);
void __wrap_iopf_group_response(struct iopf_group *group, enum iommu_page_response_code status)
{
	struct shim_task *me = shim_task(current);
	struct device *dev = group->fault_param->dev;
	u32 stag = group->last_fault.fault.prm.grpid;

	stamp(dev, stag, KI_FAULT_WORKER, me->work_started);
	/* Without handle_mm_fault(), as for an address outside of any VMA, its stages are empty */
	if (me->mm_entered >= me->work_started) {
		stamp(dev, stag, KI_FAULT_MM, me->mm_entered);
		stamp(dev, stag, KI_FAULT_MM_DONE, me->mm_left);
	}
	/*
	 * From here on the SMMU may be the next: its stage begins before the command is written. Another CPU may hand the
	 * command over together with its own, at a time that this CPU's must not be ahead of.
	 */
	shim_sync();
	stamp(dev, stag, KI_FAULT_RESPONDED, shim_local_time());
	__real_iopf_group_response(group, status);
}
