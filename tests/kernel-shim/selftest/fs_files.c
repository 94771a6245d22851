// SPDX-License-Identifier: GPL-2.0-only
/* Character devices, open files, descriptor tables and ppoll, on a character device of the test's own. */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "fs_test.h"

static struct {
	dev_t devt;
	struct cdev *cdev;
	struct device *dev;
	unsigned int opens, releases;
	bool ready;
	wait_queue_head_t wait;
} chr;

static int chr_open(struct inode *inode, struct file *file)
{
	chr.opens++;
	return 0;
}

static int chr_release(struct inode *inode, struct file *file)
{
	chr.releases++;
	return 0;
}

static long chr_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return cmd == 1 ? (long)arg : -ENOIOCTLCMD;
}

static __poll_t chr_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &chr.wait, table);
	return chr.ready ? EPOLLIN | EPOLLRDNORM : 0;
}

static const struct file_operations chr_fops = {
	.open = chr_open,
	.release = chr_release,
	.unlocked_ioctl = chr_ioctl,
	.poll = chr_poll,
};

static const struct class chr_class = {.name = "selftest"};

static void chr_dev_release(struct device *dev)
{
	kfree(dev);
}

static int chr_add(void)
{
	int ret;

	memset(&chr, 0, sizeof(chr));
	init_waitqueue_head(&chr.wait);
	ret = class_register(&chr_class);
	ret = ret ?: alloc_chrdev_region(&chr.devt, 0, 4, "selftest");
	chr.cdev = cdev_alloc();
	chr.dev = kzalloc(sizeof(*chr.dev), GFP_KERNEL);
	if (ret || !chr.cdev || !chr.dev)
		return ret ?: -ENOMEM;
	chr.cdev->ops = &chr_fops;
	device_initialize(chr.dev);
	chr.dev->devt = chr.devt;
	chr.dev->class = &chr_class;
	chr.dev->parent =
		&platform_bus; /* without a parent the kernel would make /sys/devices/virtual for good */
	chr.dev->release = chr_dev_release;
	dev_set_name(chr.dev, "chr-%d", 0);
	return cdev_device_add(chr.cdev, chr.dev);
}

static void chr_del(void)
{
	cdev_device_del(chr.cdev, chr.dev);
	put_device(chr.dev);
}

static void chr_end(void)
{
	unregister_chrdev_region(chr.devt, 4);
	class_unregister(&chr_class);
}

KI_SELFTEST(fs_device_node_lives_as_long_as_the_device)
{
	struct fs_process p;
	s64 fd;

	fs_enter(&p);
	KI_CHECK(fs_open(&p, "/dev/chr-0", O_RDWR) == -ENOENT);
	KI_CHECK(!chr_add());
	KI_CHECK(fs_exists(&p, "/sys/class/selftest/chr-0/dev"));
	fd = fs_open(&p, "/dev/chr-0", O_RDWR);
	KI_CHECK(fd == 0 && chr.opens == 1);
	KI_CHECK(fs_syscall(NR_ioctl, 0, 1, 42, 0, 0) == 42);
	KI_CHECK(fs_syscall(NR_ioctl, 0, 2, 0, 0, 0) == -ENOTTY);
	KI_CHECK(fs_syscall(NR_read, 0, p.data, 1, 0, 0) == -EINVAL);
	KI_CHECK(fs_syscall(NR_lseek, 0, 0, SEEK_SET, 0, 0) == -ESPIPE);
	/* Removed under an open file: no new opens, the file goes on */
	chr_del();
	KI_CHECK(fs_open(&p, "/dev/chr-0", O_RDWR) == -ENOENT);
	KI_CHECK(fs_syscall(NR_ioctl, 0, 1, 7, 0, 0) == 7);
	KI_CHECK(chr.releases == 0);
	KI_CHECK(fs_close(0) == 0 && chr.releases == 1);
	fs_leave(&p);
	chr_end();
	return 0;
}

KI_SELFTEST(fs_file_is_released_by_its_last_descriptor)
{
	struct fs_process p;
	struct shim_files *child;

	fs_enter(&p);
	KI_CHECK(!chr_add());
	KI_CHECK(fs_open(&p, "/dev/chr-0", O_RDWR) == 0);
	KI_CHECK(fs_syscall(NR_dup, 0, 0, 0, 0, 0) == 1);
	KI_CHECK(fs_syscall(NR_dup3, 1, 200, 0, 0, 0) == 200);
	KI_CHECK(fs_syscall(NR_dup3, 1, 1, 0, 0, 0) == -EINVAL);
	KI_CHECK(fs_syscall(NR_dup3, 1, 1 << 20, 0, 0, 0) == -EBADF);
	KI_CHECK(fs_syscall(NR_fcntl, 0, F_DUPFD, 100, 0, 0) == 100);
	child = shim_files_dup(p.files);
	KI_CHECK(child);
	for (int i = 0; i < 2; i++)
		KI_CHECK(fs_close(i) == 0);
	KI_CHECK(fs_close(100) == 0 && fs_close(200) == 0 && chr.releases == 0);
	KI_CHECK(fs_syscall(NR_ioctl, 200, 1, 1, 0, 0) == -EBADF);
	/* The child's copies keep the file */
	shim_files_put(child);
	flush_delayed_fput();
	KI_CHECK(chr.opens == 1 && chr.releases == 1);
	chr_del();
	fs_leave(&p);
	chr_end();
	return 0;
}

KI_SELFTEST(fs_close_on_exec_belongs_to_the_descriptor)
{
	struct fs_process p;

	fs_enter(&p);
	KI_CHECK(!chr_add());
	KI_CHECK(fs_open(&p, "/dev/chr-0", O_RDWR | O_CLOEXEC) == 0);
	KI_CHECK(fs_syscall(NR_fcntl, 0, F_GETFD, 0, 0, 0) == FD_CLOEXEC);
	KI_CHECK(fs_syscall(NR_dup, 0, 0, 0, 0, 0) == 1);
	KI_CHECK(fs_syscall(NR_fcntl, 1, F_GETFD, 0, 0, 0) == 0);
	KI_CHECK(fs_syscall(NR_fcntl, 1, F_SETFD, FD_CLOEXEC, 0, 0) == 0);
	KI_CHECK(fs_syscall(NR_fcntl, 1, F_GETFD, 0, 0, 0) == FD_CLOEXEC);
	KI_CHECK((fs_syscall(NR_fcntl, 0, F_GETFL, 0, 0, 0) & O_ACCMODE) == O_RDWR);
	KI_CHECK(fs_syscall(NR_fcntl, 9, F_GETFD, 0, 0, 0) == -EBADF);
	chr_del();
	fs_leave(&p);
	KI_CHECK(chr.releases == 1);
	chr_end();
	return 0;
}

KI_SELFTEST(fs_table_grows_to_a_thousand_descriptors)
{
	struct fs_process p;

	fs_enter(&p);
	KI_CHECK(!chr_add());
	for (int i = 0; i < 1100; i++)
		KI_CHECK(fs_open(&p, "/dev/chr-0", O_RDWR) == i);
	KI_CHECK(fs_close(500) == 0);
	KI_CHECK(fs_open(&p, "/dev/chr-0", O_RDWR) == 500); /* the lowest that is free */
	chr_del();
	fs_leave(&p);
	KI_CHECK(chr.releases == chr.opens);
	chr_end();
	return 0;
}

/* ---- ppoll ------------------------------------------------------------------------------------------- */

static void put_u64(struct fs_process *p, u64 at, u64 number)
{
	for (int i = 0; i < 8; i++)
		user_store(p->mm, at + (u64)i, (u8)(number >> 8 * i));
}

/* Polls descriptor 0 for POLLIN; the timeout in ns, negative for none. */
static s64 poll_in(struct fs_process *p, s64 timeout)
{
	u64 ts = p->data + 64;

	put_u64(p, p->data, (u64)POLLIN << 32);
	put_u64(p, ts, (u64)timeout / NSEC_PER_SEC);
	put_u64(p, ts + 8, (u64)timeout % NSEC_PER_SEC);
	return fs_syscall(NR_ppoll, p->data, 1, timeout < 0 ? 0 : ts, 0, 0);
}

static int waker(void *data)
{
	schedule_timeout_uninterruptible(usecs_to_jiffies(20000));
	chr.ready = true;
	wake_up_interruptible(&chr.wait);
	return 0;
}

KI_SELFTEST(fs_ppoll_asks_sleeps_and_is_woken)
{
	struct task_struct *task;
	struct fs_process p;
	u64 begin;

	fs_enter(&p);
	KI_CHECK(!chr_add());
	KI_CHECK(fs_open(&p, "/dev/chr-0", O_RDWR) == 0);
	KI_CHECK(poll_in(&p, 0) == 0);
	begin = shim_local_time();
	KI_CHECK(poll_in(&p, 300000) == 0);
	KI_CHECK(shim_local_time() - begin >= 300000000);
	KI_CHECK(shim_local_time() - begin < 1000000000);
	KI_CHECK(list_empty(&chr.wait.head));
	task = kthread_run(waker, NULL, "waker");
	KI_CHECK(!IS_ERR(task));
	KI_CHECK(poll_in(&p, -1) == 1);
	KI_CHECK(user_load(p.mm, p.data + 6) == POLLIN);
	KI_CHECK(poll_in(&p, 0) == 1);
	KI_CHECK(list_empty(&chr.wait.head));
	chr_del();
	fs_leave(&p);
	chr_end();
	return 0;
}

KI_SELFTEST(fs_ppoll_says_which_descriptor_is_not_open)
{
	struct fs_process p;

	fs_enter(&p);
	put_u64(&p, p.data, 5 | (u64)POLLIN << 32);
	KI_CHECK(fs_syscall(NR_ppoll, p.data, 1, 0, 0, 0) == 1);
	KI_CHECK(user_load(p.mm, p.data + 6) == POLLNVAL);
	KI_CHECK(fs_syscall(NR_ppoll, 64, 1, 0, 0, 0) == -EFAULT);
	fs_leave(&p);
	return 0;
}
