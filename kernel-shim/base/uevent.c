// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events to user space (lib/kobject_uevent.c): there is no daemon that listens, so none is sent. Device nodes do not depend on
 * them (fs/devtmpfs.c). The variables of an event are still collected for the `uevent` files in /sys.
 */
#include <linux/kobject.h>
#include <linux/string.h>

const char *const kobject_actions[] = {
	[KOBJ_ADD] = "add",   [KOBJ_REMOVE] = "remove", [KOBJ_CHANGE] = "change",
	[KOBJ_MOVE] = "move", [KOBJ_ONLINE] = "online", [KOBJ_OFFLINE] = "offline",
	[KOBJ_BIND] = "bind", [KOBJ_UNBIND] = "unbind",
};

int kobject_uevent_env(struct kobject *kobj, enum kobject_action action, char *envp[])
{
	/* kobject_cleanup() announces the removal of what was announced and never removed */
	if (action == KOBJ_ADD)
		kobj->state_add_uevent_sent = 1;
	else if (action == KOBJ_REMOVE)
		kobj->state_remove_uevent_sent = 1;
	return 0;
}

int kobject_uevent(struct kobject *kobj, enum kobject_action action)
{
	return kobject_uevent_env(kobj, action, NULL);
}

/* A write to a device's `uevent` file: the action's name, perhaps followed by a UUID and variables. */
int kobject_synth_uevent(struct kobject *kobj, const char *buf, size_t count)
{
	size_t length = strcspn(buf, " \n");

	if (length > count)
		length = count;
	for (size_t i = 0; i < ARRAY_SIZE(kobject_actions); i++)
		if (strlen(kobject_actions[i]) == length &&
		    !strncmp(buf, kobject_actions[i], length))
			return kobject_uevent(kobj, (enum kobject_action)i);
	return -EINVAL;
}

int add_uevent_var(struct kobj_uevent_env *env, const char *format, ...)
{
	size_t room = sizeof(env->buf) - (size_t)env->buflen;
	va_list args;
	int length;

	if (env->envp_idx >= ARRAY_SIZE(env->envp))
		return -ENOMEM;
	va_start(args, format);
	length = vsnprintf(env->buf + env->buflen, room, format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= room)
		return -ENOMEM;
	env->envp[env->envp_idx++] = env->buf + env->buflen;
	env->buflen += length + 1;
	return 0;
}
