// SPDX-License-Identifier: GPL-2.0-only
/* The tree below /sys as a process sees it: attributes, groups, links, directories, removal under an open file. */
#include <linux/completion.h>
#include <linux/kobject.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "fs_test.h"

static unsigned int shown, value = 7;

static ssize_t value_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	shown++;
	return sysfs_emit(buf, "%u\n", value);
}

static ssize_t value_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t count)
{
	int ret = kstrtouint(buf, 0, &value);

	return ret ?: (ssize_t)count;
}

static ssize_t hidden_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "hidden\n");
}

static struct kobj_attribute value_attr = __ATTR_RW(value);
static struct kobj_attribute hidden_attr = __ATTR_RO(hidden);
static struct attribute *attrs[] = {&value_attr.attr, &hidden_attr.attr, NULL};

static umode_t visible(struct kobject *kobj, struct attribute *attr, int index)
{
	return attr == &hidden_attr.attr ? 0 : attr->mode;
}

static const struct attribute_group named_group = {
	.name = "group",
	.attrs = attrs,
	.is_visible = visible,
};

KI_SELFTEST(fs_sysfs_attribute_shows_and_stores)
{
	struct kobject *kobj = kobject_create_and_add("shown", kernel_kobj);
	struct fs_process p;
	s64 fd;

	fs_enter(&p);
	value = 7;
	KI_CHECK(!sysfs_create_file(kobj, &value_attr.attr));
	fd = fs_open(&p, "/sys/kernel/shown/value", O_RDWR);
	KI_CHECK(fd == 0);
	shown = 0;
	KI_CHECK(fs_read_is(&p, fd, "7\n"));
	KI_CHECK(fs_read_is(&p, fd, "")); /* the end, without asking again */
	KI_CHECK(shown == 1);
	KI_CHECK(fs_write_file(&p, "/sys/kernel/shown/value", "19") == 2 && value == 19);
	KI_CHECK(fs_syscall(NR_lseek, (u64)fd, 0, SEEK_SET, 0, 0) == 0);
	KI_CHECK(fs_read_is(&p, fd, "19\n"));
	KI_CHECK(fs_write_file(&p, "/sys/kernel/shown/value", "x") == -EINVAL);
	KI_CHECK(fs_close(fd) == 0 && fs_close(fd) == -EBADF);
	fs_leave(&p);
	kobject_put(kobj);
	return 0;
}

KI_SELFTEST(fs_sysfs_group_hides_what_is_not_visible)
{
	struct kobject *kobj = kobject_create_and_add("grouped", kernel_kobj);
	struct fs_process p;

	fs_enter(&p);
	KI_CHECK(!sysfs_create_group(kobj, &named_group));
	KI_CHECK(fs_exists(&p, "/sys/kernel/grouped/group/value"));
	KI_CHECK(!fs_exists(&p, "/sys/kernel/grouped/group/hidden"));
	sysfs_remove_group(kobj, &named_group);
	KI_CHECK(!fs_exists(&p, "/sys/kernel/grouped/group"));
	KI_CHECK(fs_exists(&p, "/sys/kernel/grouped"));
	kobject_put(kobj);
	KI_CHECK(!fs_exists(&p, "/sys/kernel/grouped"));
	fs_leave(&p);
	return 0;
}

KI_SELFTEST(fs_sysfs_open_errors_are_those_of_linux)
{
	struct kobject *kobj = kobject_create_and_add("errors", kernel_kobj);
	struct fs_process p;

	fs_enter(&p);
	KI_CHECK(!sysfs_create_file(kobj, &hidden_attr.attr));
	KI_CHECK(fs_open(&p, "/sys/kernel/errors/hidden", O_WRONLY) == -EACCES);
	KI_CHECK(fs_open(&p, "/sys/kernel/errors/none", O_RDONLY) == -ENOENT);
	KI_CHECK(fs_open(&p, "/sys/kernel/errors/none", O_RDWR | O_CREAT) == -EACCES);
	KI_CHECK(fs_open(&p, "/sys/kernel/errors/hidden/x", O_RDONLY) == -ENOTDIR);
	KI_CHECK(fs_open(&p, "/sys/kernel/errors", O_RDWR) == -EISDIR);
	KI_CHECK(fs_open(&p, "/sys/kernel/errors/hidden", 040000) == -ENOTDIR);
	KI_CHECK(fs_open(&p, "/sys/kernel/errors/hidden", O_CREAT | O_EXCL) == -EEXIST);
	KI_CHECK(fs_open(&p, "", O_RDONLY) == -ENOENT);
	KI_CHECK(fs_syscall(NR_openat, (u64)AT_FDCWD, 64, 0, 0, 0) == -EFAULT);
	fs_leave(&p);
	kobject_put(kobj);
	return 0;
}

KI_SELFTEST(fs_sysfs_link_leads_to_its_target)
{
	struct kobject *from = kobject_create_and_add("from", kernel_kobj);
	struct kobject *to = kobject_create_and_add("to", kernel_kobj);
	struct fs_process p;

	fs_enter(&p);
	value = 3;
	KI_CHECK(!sysfs_create_file(to, &value_attr.attr));
	KI_CHECK(!sysfs_create_link(from, to, "target"));
	KI_CHECK(sysfs_create_link_nowarn(from, to, "target") == -EEXIST);
	KI_CHECK(fs_readlink(&p, "/sys/kernel/from/target") == 5);
	KI_CHECK(user_load(p.mm, p.data) == '.' && user_load(p.mm, p.data + 3) == 't');
	KI_CHECK(fs_file_is(&p, "/sys/kernel/from/target/value", "3\n"));
	KI_CHECK(fs_file_is(&p, "/sys/kernel/from/target/../to/./value", "3\n"));
	KI_CHECK(fs_open(&p, "/sys/kernel/from/target", 0100000) == -ELOOP);
	sysfs_remove_link(from, "target");
	KI_CHECK(fs_readlink(&p, "/sys/kernel/from/target") == -ENOENT);
	KI_CHECK(fs_readlink(&p, "/sys/kernel/from") == -EINVAL);
	fs_leave(&p);
	kobject_put(from);
	kobject_put(to);
	return 0;
}

KI_SELFTEST(fs_sysfs_directory_lists_every_name_once)
{
	struct kobject *kobj = kobject_create_and_add("listed", kernel_kobj);
	unsigned int entries = 0;
	struct fs_process p;
	s64 fd, length;

	fs_enter(&p);
	for (int i = 0; i < 20; i++)
		KI_CHECK(!IS_ERR_OR_NULL(
			kernfs_create_dir_ns(kobj->sd, (char[]){(char)('a' + i), 0}, 0755,
					     GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, NULL, NULL)));
	fd = fs_open(&p, "/sys/kernel/listed", 040000);
	KI_CHECK(fd >= 0);
	/* A buffer for five entries at a time */
	while ((length = fs_syscall(NR_getdents64, (u64)fd, p.data, 5 * 24, 0, 0)) > 0) {
		KI_CHECK(length % 24 == 0);
		entries += (unsigned int)length / 24;
	}
	KI_CHECK(length == 0 && entries == 22);
	KI_CHECK(fs_syscall(NR_lseek, (u64)fd, 0, SEEK_SET, 0, 0) == 0);
	KI_CHECK(fs_syscall(NR_getdents64, (u64)fd, p.data, 8, 0, 0) == -EINVAL);
	KI_CHECK(fs_syscall(NR_read, (u64)fd, p.data, 8, 0, 0) == -EISDIR);
	fs_leave(&p);
	kobject_put(kobj);
	return 0;
}

KI_SELFTEST(fs_sysfs_open_file_of_a_removed_attribute_has_no_device)
{
	struct kobject *kobj = kobject_create_and_add("removed", kernel_kobj);
	struct fs_process p;
	s64 fd;

	fs_enter(&p);
	KI_CHECK(!sysfs_create_file(kobj, &value_attr.attr));
	fd = fs_open(&p, "/sys/kernel/removed/value", O_RDWR);
	KI_CHECK(fd >= 0);
	sysfs_remove_file(kobj, &value_attr.attr);
	KI_CHECK(fs_syscall(NR_read, (u64)fd, p.data, 8, 0, 0) == -ENODEV);
	KI_CHECK(fs_syscall(NR_write, (u64)fd, p.data, 1, 0, 0) == -ENODEV);
	kobject_put(kobj);
	KI_CHECK(fs_close(fd) == 0);
	fs_leave(&p);
	return 0;
}

/* A remover must wait until a show function that is under way has ended. */
static struct completion in_show, may_end;
static bool removed, removed_in_show;

static ssize_t slow_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	complete(&in_show);
	wait_for_completion(&may_end);
	removed_in_show = removed;
	return sysfs_emit(buf, "slow\n");
}
static struct kobj_attribute slow_attr = __ATTR_RO(slow);

static int remover(void *data)
{
	wait_for_completion(&in_show);
	complete(&may_end);
	sysfs_remove_file(data, &slow_attr.attr);
	removed = true;
	return 0;
}

KI_SELFTEST(fs_sysfs_removal_waits_for_those_who_show)
{
	struct kobject *kobj = kobject_create_and_add("slow", kernel_kobj);
	struct task_struct *task;
	struct fs_process p;

	init_completion(&in_show);
	init_completion(&may_end);
	removed = removed_in_show = false;
	fs_enter(&p);
	KI_CHECK(!sysfs_create_file(kobj, &slow_attr.attr));
	task = kthread_run(remover, kobj, "remover");
	KI_CHECK(!IS_ERR(task));
	KI_CHECK(fs_file_is(&p, "/sys/kernel/slow/slow", "slow\n"));
	KI_CHECK(!removed_in_show);
	while (!removed)
		schedule_timeout_uninterruptible(1);
	KI_CHECK(!fs_exists(&p, "/sys/kernel/slow/slow"));
	fs_leave(&p);
	kobject_put(kobj);
	return 0;
}
