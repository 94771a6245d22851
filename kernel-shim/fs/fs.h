/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared within fs/ (and by base/init.c): the one tree of names that holds /sys and /dev, inodes, opening.
 * Nodes are the kernel's struct kernfs_node; what a node is, its mode says (S_IFDIR, S_IFREG, S_IFLNK, S_IFCHR).
 */
#ifndef KERNEL_SHIM_FS_H
#define KERNEL_SHIM_FS_H

#include <linux/fs.h>
#include <linux/kernfs.h>

int shim_sysfs_init(void);

/* ---- the tree (kernfs.c) -------------------------------------------------------------------- */

extern struct kernfs_node *shim_fs_root, *shim_fs_sys, *shim_fs_dev;

struct kernfs_node *shim_kernfs_device(struct kernfs_node *parent, const char *name, umode_t mode,
				       dev_t rdev);
/* The directory above, referenced; the root is its own */
struct kernfs_node *shim_kernfs_parent(struct kernfs_node *kn);
/* The inode of a node; the caller owns a reference */
struct inode *shim_kernfs_inode(struct kernfs_node *kn);
/* Text of a symbolic link: the relative path of its target. `size` bytes of room */
int shim_kernfs_link_text(struct kernfs_node *kn, char *buf, size_t size);
/* The first child whose hash is at least `hash`, referenced; with `after`, the one behind it */
struct kernfs_node *shim_kernfs_next(struct kernfs_node *dir, unsigned int hash,
				     struct kernfs_node *after);

extern const struct file_operations shim_kernfs_file_fops;
extern const struct file_operations shim_kernfs_dir_fops;

/* ---- inodes and open files (file.c) ------------------------------------------------------------- */

/* One reference; NULL without memory */
struct inode *shim_inode_new(umode_t mode, dev_t rdev);
/* Opens an inode: consumes a reference to it, also when it fails. `flags` are O_ flags of the kernel's own numbering */
struct file *shim_file_open(struct inode *inode, const char *name, unsigned int flags);
int shim_fd_close(unsigned int fd);

/* ---- names (namei.c) --------------------------------------------------------------------------- */

/* The node at a path that lies in user memory, referenced, or ERR_PTR. `follow`: also a final symbolic link */
struct kernfs_node *shim_path_lookup(int dirfd, const char __user *path, bool follow);

/* chrdev open, as the first f_op of a character device's file */
extern const struct file_operations def_chr_fops;

/* ---- system calls ---------------------------------------------------------------------------- */

s64 shim_sys_openat(const u64 args[7]);
s64 shim_sys_readlinkat(const u64 args[7]);
s64 shim_sys_getdents64(const u64 args[7]);
s64 shim_sys_ppoll(const u64 args[7]);

#endif
