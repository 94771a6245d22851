// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls on files (fs/read_write.c, fs/ioctl.c, fs/fcntl.c, fs/stat.c), with the numbers and structures of the
 * asm-generic (AArch64) ABI.
 *
 * Not modelled: locks, leases, signals by files, asynchronous and vectored I/O.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/kernfs.h>
#include <linux/stat.h>
#include <linux/uaccess.h>
#include <asm/ioctls.h>

#include "shim.h"
#include "fs.h"

#define RW_MAX ((size_t)(INT_MAX & PAGE_MASK))

/* ---- read, write, seek --------------------------------------------------------------------------------- */

static s64 file_read(struct file *file, char __user *buf, size_t count)
{
	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	if (!file->f_op->read)
		return -EINVAL;
	if (!access_ok(buf, count))
		return -EFAULT;
	return file->f_op->read(file, buf, min(count, RW_MAX), &file->f_pos);
}

static s64 file_write(struct file *file, const char __user *buf, size_t count)
{
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!file->f_op->write)
		return -EINVAL;
	if (!access_ok(buf, count))
		return -EFAULT;
	return file->f_op->write(file, buf, min(count, RW_MAX), &file->f_pos);
}

static s64 sys_read(const u64 args[7])
{
	struct file *file = fget((unsigned int)args[0]);
	s64 ret;

	if (!file)
		return -EBADF;
	ret = file_read(file, (char __user *)args[1], args[2]);
	fput(file);
	return ret;
}

static s64 sys_write(const u64 args[7])
{
	struct file *file = fget((unsigned int)args[0]);
	s64 ret;

	if (!file)
		return -EBADF;
	ret = file_write(file, (const char __user *)args[1], args[2]);
	fput(file);
	return ret;
}

static s64 sys_lseek(const u64 args[7])
{
	struct file *file = fget((unsigned int)args[0]);
	s64 ret = -ESPIPE;

	if (!file)
		return -EBADF;
	if (args[2] > SEEK_MAX)
		ret = -EINVAL;
	else if (file->f_mode & FMODE_LSEEK)
		ret = file->f_op->llseek(file, (loff_t)args[1], (int)args[2]);
	fput(file);
	return ret;
}

/* ---- ioctl, fcntl, dup, close ----------------------------------------------------------------------------- */

static s64 set_nonblock(struct file *file, const int __user *arg)
{
	int on;

	if (get_user(on, arg))
		return -EFAULT;
	spin_lock(&file->f_lock);
	file->f_flags = on ? file->f_flags | O_NONBLOCK : file->f_flags & ~(unsigned int)O_NONBLOCK;
	spin_unlock(&file->f_lock);
	return 0;
}

static s64 file_ioctl(unsigned int fd, struct file *file, unsigned int command, u64 arg)
{
	s64 ret = -ENOTTY;

	switch (command) {
	case FIOCLEX:
	case FIONCLEX:
		set_close_on_exec(fd, command == FIOCLEX);
		return 0;
	case FIONBIO:
		return set_nonblock(file, (const int __user *)arg);
	}
	if (file->f_op->unlocked_ioctl)
		ret = file->f_op->unlocked_ioctl(file, command, arg);
	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}

static s64 sys_ioctl(const u64 args[7])
{
	struct file *file = fget((unsigned int)args[0]);
	s64 ret;

	if (!file)
		return -EBADF;
	ret = file_ioctl((unsigned int)args[0], file, (unsigned int)args[1], args[2]);
	fput(file);
	return ret;
}

static s64 set_flags(struct file *file, unsigned int flags)
{
	const unsigned int settable = O_APPEND | O_NONBLOCK | O_NDELAY | O_NOATIME;

	spin_lock(&file->f_lock);
	file->f_flags = (flags & settable) | (file->f_flags & ~settable);
	spin_unlock(&file->f_lock);
	return 0;
}

static s64 sys_fcntl(const u64 args[7])
{
	unsigned int fd = (unsigned int)args[0];
	struct file *file = fget(fd);
	s64 ret = -EINVAL;

	if (!file)
		return -EBADF;
	switch (args[1]) {
	case F_DUPFD:
		ret = f_dupfd((unsigned int)args[2], file, 0);
		break;
	case F_DUPFD_CLOEXEC:
		ret = f_dupfd((unsigned int)args[2], file, O_CLOEXEC);
		break;
	case F_GETFD:
		ret = get_close_on_exec(fd) ? FD_CLOEXEC : 0;
		break;
	case F_SETFD:
		set_close_on_exec(fd, args[2] & FD_CLOEXEC);
		ret = 0;
		break;
	case F_GETFL:
		ret = file->f_flags;
		break;
	case F_SETFL:
		ret = set_flags(file, (unsigned int)args[2]);
		break;
	}
	fput(file);
	return ret;
}

static s64 sys_dup(const u64 args[7])
{
	struct file *file = fget((unsigned int)args[0]);
	s64 ret;

	if (!file)
		return -EBADF;
	ret = f_dupfd(0, file, 0);
	fput(file);
	return ret;
}

static s64 sys_dup3(const u64 args[7])
{
	struct file *file;
	s64 ret;

	if ((args[2] & ~(u64)O_CLOEXEC) || (unsigned int)args[0] == (unsigned int)args[1])
		return -EINVAL;
	file = fget((unsigned int)args[0]);
	if (!file)
		return -EBADF;
	ret = replace_fd((unsigned int)args[1], file, (unsigned int)args[2]);
	fput(file);
	return ret;
}

static s64 sys_close(const u64 args[7])
{
	return shim_fd_close((unsigned int)args[0]);
}

/* ---- stat ---------------------------------------------------------------------------------------------------- */

/* struct stat of asm-generic (ARCH=um has another) */
struct generic_stat {
	u64 st_dev, st_ino;
	u32 st_mode, st_nlink, st_uid, st_gid;
	u64 st_rdev, pad1;
	s64 st_size;
	s32 st_blksize, pad2;
	s64 st_blocks;
	s64 st_atime;
	u64 st_atime_nsec;
	s64 st_mtime;
	u64 st_mtime_nsec;
	s64 st_ctime;
	u64 st_ctime_nsec;
	u32 unused[2];
};

static s64 stat_to_user(const struct inode *inode, void __user *user)
{
	struct generic_stat st = {
		.st_ino = inode->i_ino,
		.st_mode = inode->i_mode,
		.st_nlink = inode->i_nlink,
		.st_rdev = new_encode_dev(inode->i_rdev),
		.st_size = inode->i_size,
		.st_blksize = PAGE_SIZE,
	};

	return copy_to_user(user, &st, sizeof(st)) ? -EFAULT : 0;
}

static s64 statx_to_user(const struct inode *inode, void __user *user)
{
	struct statx st = {
		.stx_mask = STATX_BASIC_STATS & ~(STATX_ATIME | STATX_MTIME | STATX_CTIME),
		.stx_blksize = PAGE_SIZE,
		.stx_nlink = inode->i_nlink,
		.stx_mode = inode->i_mode,
		.stx_ino = inode->i_ino,
		.stx_size = (u64)inode->i_size,
		.stx_rdev_major = MAJOR(inode->i_rdev),
		.stx_rdev_minor = MINOR(inode->i_rdev),
	};

	return copy_to_user(user, &st, sizeof(st)) ? -EFAULT : 0;
}

/* The inode that a directory, path and AT_ flags name, referenced, or ERR_PTR. */
static struct inode *inode_at(int dirfd, const char __user *path, unsigned int flags)
{
	struct kernfs_node *kn;
	struct inode *inode;
	struct file *file;
	char first = 'x';

	if (flags & AT_EMPTY_PATH) {
		if (path && get_user(first, path))
			return ERR_PTR(-EFAULT);
		if (!path)
			first = '\0';
	}
	if (!first && dirfd != AT_FDCWD) {
		file = fget((unsigned int)dirfd);
		if (!file)
			return ERR_PTR(-EBADF);
		inode = file->f_inode;
		ihold(inode);
		fput(file);
		return inode;
	}
	if (!first) {
		kn = shim_fs_root;
		kernfs_get(kn);
	} else {
		kn = shim_path_lookup(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW));
	}
	if (IS_ERR(kn))
		return ERR_CAST(kn);
	inode = shim_kernfs_inode(kn);
	kernfs_put(kn);
	return inode ?: ERR_PTR(-ENOMEM);
}

static s64 sys_newfstatat(const u64 args[7])
{
	struct inode *inode;
	s64 ret;

	if (args[3] & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	inode = inode_at((int)args[0], (const char __user *)args[1], (unsigned int)args[3]);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	ret = stat_to_user(inode, (void __user *)args[2]);
	iput(inode);
	return ret;
}

static s64 sys_fstat(const u64 args[7])
{
	struct file *file = fget((unsigned int)args[0]);
	s64 ret;

	if (!file)
		return -EBADF;
	ret = stat_to_user(file->f_inode, (void __user *)args[1]);
	fput(file);
	return ret;
}

static s64 sys_statx(const u64 args[7])
{
	struct inode *inode;
	s64 ret;

	if (args[3] & STATX__RESERVED)
		return -EINVAL;
	inode = inode_at((int)args[0], (const char __user *)args[1], (unsigned int)args[2]);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	ret = statx_to_user(inode, (void __user *)args[4]);
	iput(inode);
	return ret;
}

/* Every process is root's: what exists may be accessed. */
static s64 sys_faccessat(const u64 args[7])
{
	struct inode *inode;

	if (args[2] & ~(u64)S_IRWXO)
		return -EINVAL;
	inode = inode_at((int)args[0], (const char __user *)args[1], 0);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	iput(inode);
	return 0;
}

const struct shim_syscall shim_syscalls_fs[] = {
	{23, "dup", sys_dup},
	{24, "dup3", sys_dup3},
	{25, "fcntl", sys_fcntl},
	{29, "ioctl", sys_ioctl},
	{48, "faccessat", sys_faccessat},
	{56, "openat", shim_sys_openat},
	{57, "close", sys_close},
	{61, "getdents64", shim_sys_getdents64},
	{62, "lseek", sys_lseek},
	{63, "read", sys_read},
	{64, "write", sys_write},
	{73, "ppoll", shim_sys_ppoll},
	{78, "readlinkat", shim_sys_readlinkat},
	{79, "newfstatat", sys_newfstatat},
	{80, "fstat", sys_fstat},
	{291, "statx", sys_statx},
	{0, NULL, NULL},
};
