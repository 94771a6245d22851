// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power management (drivers/base/power): the machine neither sleeps nor suspends its devices. To the driver core
 * that is a machine in which no driver ever enabled runtime power management: devices are on, requests to
 * resume one are answered as the kernel answers them for a device whose runtime PM is disabled.
 * ARCH=um selects CONFIG_PM, so its symbols are asked for.
 */
#include <linux/device.h>
#include <linux/pm_runtime.h>

/* ---- runtime ------------------------------------------------------------------------------------- */

void pm_runtime_init(struct device *dev);
void pm_runtime_reinit(struct device *dev);

void pm_runtime_init(struct device *dev)
{
	dev->power.runtime_status = RPM_SUSPENDED;
	dev->power.last_status = RPM_INVALID;
	dev->power.disable_depth = 1;
	dev->power.runtime_auto = true;
	atomic_set(&dev->power.usage_count, 0);
	atomic_set(&dev->power.child_count, 0);
	init_waitqueue_head(&dev->power.wait_queue);
}

void pm_runtime_reinit(struct device *dev)
{
}

int __pm_runtime_resume(struct device *dev, int rpmflags)
{
	if (rpmflags & RPM_GET_PUT)
		atomic_inc(&dev->power.usage_count);
	return -EACCES;
}

int __pm_runtime_idle(struct device *dev, int rpmflags)
{
	if ((rpmflags & RPM_GET_PUT) && !atomic_add_unless(&dev->power.usage_count, -1, 0))
		return -EINVAL;
	return -EACCES;
}

/* No request is ever pending. */
int pm_runtime_barrier(struct device *dev)
{
	return 0;
}

void pm_runtime_get_suppliers(struct device *dev)
{
}

void pm_runtime_put_suppliers(struct device *dev)
{
}

void pm_runtime_new_link(struct device *dev)
{
	dev->power.links_count++;
}

void pm_runtime_drop_link(struct device_link *link)
{
	if (link->flags & DL_FLAG_PM_RUNTIME)
		link->consumer->power.links_count--;
}

void pm_runtime_release_supplier(struct device_link *link)
{
}

/* ---- system sleep: there is no list of devices to put to sleep ------------------------------------- */

void device_pm_sleep_init(struct device *dev);
void device_pm_add(struct device *dev);
void device_pm_remove(struct device *dev);
void device_pm_move_before(struct device *a, struct device *b);
void device_pm_move_after(struct device *a, struct device *b);
void device_pm_move_last(struct device *dev);
void device_pm_check_callbacks(struct device *dev);
int dpm_sysfs_add(struct device *dev);
void dpm_sysfs_remove(struct device *dev);
int dpm_sysfs_change_owner(struct device *dev, kuid_t uid, kgid_t gid);

void device_pm_sleep_init(struct device *dev)
{
	init_completion(&dev->power.completion);
	complete_all(&dev->power.completion);
	INIT_LIST_HEAD(&dev->power.entry);
}

void device_pm_add(struct device *dev)
{
}

void device_pm_remove(struct device *dev)
{
	pm_runtime_reinit(dev);
}

void device_pm_lock(void)
{
}

void device_pm_unlock(void)
{
}

void device_pm_move_before(struct device *a, struct device *b)
{
}

void device_pm_move_after(struct device *a, struct device *b)
{
}

void device_pm_move_last(struct device *dev)
{
}

void device_pm_check_callbacks(struct device *dev)
{
}

/* /sys/devices/.../power is not provided. */
int dpm_sysfs_add(struct device *dev)
{
	return 0;
}

void dpm_sysfs_remove(struct device *dev)
{
}

int dpm_sysfs_change_owner(struct device *dev, kuid_t uid, kgid_t gid)
{
	return 0;
}
