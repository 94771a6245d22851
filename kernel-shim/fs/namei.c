// SPDX-License-Identifier: GPL-2.0-only
/*
 * From names to nodes and open files (fs/namei.c, fs/open.c, fs/readdir.c): paths below /, /sys and /dev.
 * The working directory of every process is /.
 *
 * Not modelled: mounts, creating files (EACCES, as in sysfs), permissions by user (every process is root's),
 * O_PATH, O_TMPFILE.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "shim.h"
#include "fs.h"

#define LINKS_MAX 40

/* O_ flags that AArch64 numbers otherwise than ARCH=um */
#define ARM64_O_DIRECTORY 040000u
#define ARM64_O_NOFOLLOW  0100000u
#define ARM64_O_DIRECT	  0200000u
#define ARM64_O_LARGEFILE 0400000u

static unsigned int open_flags_from_user(u64 user)
{
	const unsigned int moved =
		ARM64_O_DIRECTORY | ARM64_O_NOFOLLOW | ARM64_O_DIRECT | ARM64_O_LARGEFILE;
	unsigned int flags = (unsigned int)user & ~moved;

	flags |= user & ARM64_O_DIRECTORY ? O_DIRECTORY : 0;
	flags |= user & ARM64_O_NOFOLLOW ? O_NOFOLLOW : 0;
	flags |= user & ARM64_O_DIRECT ? O_DIRECT : 0;
	flags |= user & ARM64_O_LARGEFILE ? O_LARGEFILE : 0;
	return flags;
}

/* ---- walking ------------------------------------------------------------------------------------------- */

/* A copy of a path from user memory. */
static char *path_from_user(const char __user *path)
{
	char *name = kmalloc(PATH_MAX, GFP_KERNEL);
	long length;

	if (!name)
		return ERR_PTR(-ENOMEM);
	length = strncpy_from_user(name, path, PATH_MAX);
	if (length > 0 && length < PATH_MAX)
		return name;
	kfree(name);
	if (length < 0)
		return ERR_PTR(length);
	return ERR_PTR(length ? -ENAMETOOLONG : -ENOENT);
}

/* One component; consumes the reference to `dir`. */
static struct kernfs_node *step(struct kernfs_node *dir, const char *name)
{
	struct kernfs_node *kn;

	if (kernfs_type(dir) != KERNFS_DIR) {
		kernfs_put(dir);
		return ERR_PTR(-ENOTDIR);
	}
	if (!strcmp(name, "."))
		return dir;
	if (!strcmp(name, ".."))
		kn = shim_kernfs_parent(dir);
	else if (strlen(name) > NAME_MAX)
		kn = ERR_PTR(-ENAMETOOLONG);
	else
		kn = kernfs_find_and_get_ns(dir, name, NULL) ?: ERR_PTR(-ENOENT);
	kernfs_put(dir);
	return kn;
}

/* The end of a chain of symbolic links; consumes the reference. A link of this tree names its target's node. */
static struct kernfs_node *follow_links(struct kernfs_node *kn)
{
	for (int links = 0; kernfs_type(kn) == KERNFS_LINK; links++) {
		struct kernfs_node *target = kn->symlink.target_kn;

		if (links == LINKS_MAX) {
			kernfs_put(kn);
			return ERR_PTR(-ELOOP);
		}
		if (target->flags & KERNFS_REMOVING) {
			kernfs_put(kn);
			return ERR_PTR(-ENOENT);
		}
		kernfs_get(target);
		kernfs_put(kn);
		kn = target;
	}
	return kn;
}

/* Walks a relative path; consumes the reference to `at`. */
static struct kernfs_node *walk(struct kernfs_node *at, char *path, bool follow)
{
	bool directory = *path && path[strlen(path) - 1] == '/';
	char *name;

	while (!IS_ERR(at) && (name = strsep(&path, "/"))) {
		if (!*name)
			continue;
		at = follow_links(at);
		if (!IS_ERR(at))
			at = step(at, name);
	}
	if (!IS_ERR(at) && (follow || directory))
		at = follow_links(at);
	if (!IS_ERR(at) && directory && kernfs_type(at) != KERNFS_DIR) {
		kernfs_put(at);
		return ERR_PTR(-ENOTDIR);
	}
	return at;
}

/* Where a path begins, referenced. */
static struct kernfs_node *walk_start(int dirfd, const char *path)
{
	struct kernfs_node *kn = shim_fs_root;
	struct file *file;

	if (*path == '/' || dirfd == AT_FDCWD) {
		kernfs_get(kn);
		return kn;
	}
	file = fget((unsigned int)dirfd);
	if (!file)
		return ERR_PTR(-EBADF);
	if (S_ISDIR(file->f_inode->i_mode)) {
		kn = file->private_data;
		kernfs_get(kn);
	} else {
		kn = ERR_PTR(-ENOTDIR);
	}
	fput(file);
	return kn;
}

static struct kernfs_node *lookup(int dirfd, char *path, bool follow)
{
	struct kernfs_node *at = walk_start(dirfd, path);

	return IS_ERR(at) ? at : walk(at, path, follow);
}

struct kernfs_node *shim_path_lookup(int dirfd, const char __user *user_path, bool follow)
{
	char *path = path_from_user(user_path);
	struct kernfs_node *kn;

	if (IS_ERR(path))
		return ERR_CAST(path);
	kn = lookup(dirfd, path, follow);
	kfree(path);
	return kn;
}

/* ---- open ------------------------------------------------------------------------------------------------- */

static struct file *node_open(struct kernfs_node *kn, unsigned int flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	struct inode *inode;

	if ((flags & O_CREAT) && (flags & O_EXCL))
		return ERR_PTR(-EEXIST);
	if (kernfs_type(kn) == KERNFS_LINK)
		return ERR_PTR(-ELOOP);
	if (kernfs_type(kn) == KERNFS_DIR && (writes || (flags & O_CREAT)))
		return ERR_PTR(-EISDIR);
	if (kernfs_type(kn) != KERNFS_DIR && (flags & O_DIRECTORY))
		return ERR_PTR(-ENOTDIR);
	inode = shim_kernfs_inode(kn);
	return inode ? shim_file_open(inode, kn->name, flags) : ERR_PTR(-ENOMEM);
}

static struct file *path_open(int dirfd, char *path, unsigned int flags)
{
	bool follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	struct kernfs_node *kn = lookup(dirfd, path, follow);
	struct file *file;

	if (kn == ERR_PTR(-ENOENT) && (flags & O_CREAT))
		return ERR_PTR(-EACCES);
	if (IS_ERR(kn))
		return ERR_CAST(kn);
	file = node_open(kn, flags);
	kernfs_put(kn);
	return file;
}

s64 shim_sys_openat(const u64 args[7])
{
	unsigned int flags = open_flags_from_user(args[2]);
	char *path = path_from_user((const char __user *)args[1]);
	struct file *file;
	int fd;

	if (IS_ERR(path))
		return PTR_ERR(path);
	fd = get_unused_fd_flags(flags);
	if (fd < 0)
		goto out;
	file = path_open((int)args[0], path, flags);
	if (IS_ERR(file)) {
		put_unused_fd((unsigned int)fd);
		fd = (int)PTR_ERR(file);
	} else {
		fd_install((unsigned int)fd, file);
	}
out:
	kfree(path);
	return fd;
}

/* ---- links and directories ------------------------------------------------------------------------------------ */

s64 shim_sys_readlinkat(const u64 args[7])
{
	struct kernfs_node *kn;
	char *text;
	s64 ret;

	if ((int)args[3] <= 0)
		return -EINVAL;
	kn = shim_path_lookup((int)args[0], (const char __user *)args[1], false);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	ret = -EINVAL;
	text = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!text)
		ret = -ENOMEM;
	else if (kernfs_type(kn) == KERNFS_LINK)
		ret = shim_kernfs_link_text(kn, text, PATH_MAX);
	if (ret > 0) {
		ret = min_t(s64, ret, (int)args[3]);
		if (copy_to_user((char __user *)args[2], text, (size_t)ret))
			ret = -EFAULT;
	}
	kfree(text);
	kernfs_put(kn);
	return ret;
}

/* struct linux_dirent64 */
struct dirent64 {
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type;
	char d_name[];
};

struct getdents {
	struct dir_context ctx;
	char *buf;		 /* filled here, copied out in one piece */
	size_t size, used, last; /* `last`: offset of the entry that was added last */
	int error;
};

static bool add_entry(struct dir_context *ctx, const char *name, int length, loff_t pos, u64 ino,
		      unsigned int type)
{
	struct getdents *out = container_of(ctx, struct getdents, ctx);
	size_t need = ALIGN(offsetof(struct dirent64, d_name) + (size_t)length + 1, sizeof(u64));
	struct dirent64 *entry;

	if (need > out->size - out->used) {
		if (!out->used)
			out->error = -EINVAL;
		return false;
	}
	if (out->used)
		((struct dirent64 *)(out->buf + out->last))->d_off = pos;
	entry = (struct dirent64 *)(out->buf + out->used);
	memset(entry, 0, need);
	entry->d_ino = ino;
	entry->d_reclen = (u16)need;
	entry->d_type = (u8)type;
	memcpy(entry->d_name, name, (size_t)length);
	out->last = out->used;
	out->used += need;
	return true;
}

static s64 directory_fill(struct file *file, struct getdents *out, void __user *user)
{
	int ret = file->f_op->iterate_shared(file, &out->ctx);

	file->f_pos = out->ctx.pos;
	if (!out->used)
		return ret ?: out->error;
	((struct dirent64 *)(out->buf + out->last))->d_off = out->ctx.pos;
	return copy_to_user(user, out->buf, out->used) ? -EFAULT : (s64)out->used;
}

s64 shim_sys_getdents64(const u64 args[7])
{
	struct file *file = fget((unsigned int)args[0]);
	struct getdents out = {
		.ctx.actor = add_entry,
		.size = min_t(size_t, args[2], 8 * PAGE_SIZE),
	};
	s64 ret = -ENOTDIR;

	if (!file)
		return -EBADF;
	if (file->f_op->iterate_shared) {
		out.ctx.pos = file->f_pos;
		out.buf = kmalloc(out.size ?: 1, GFP_KERNEL);
		ret = out.buf ? directory_fill(file, &out, (void __user *)args[1]) : -ENOMEM;
		kfree(out.buf);
	}
	fput(file);
	return ret;
}
