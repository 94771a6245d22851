/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel says: printk by lines with levels, warnings, panics. A kernel BUG or panic ends the run.
 */
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/printk.h>

#include "kernel.h"

#define LINE_MAX 512

int console_printk[4] = {7, 4, 1, 7};
int oops_in_progress;
int panic_timeout, panic_on_warn;
unsigned long panic_print;

static int log_text(int level, const char *text)
{
	static char line[LINE_MAX]; /* continued by KERN_CONT until its newline */
	static unsigned int length;
	static int line_level;
	int found, bytes = 0;
	bool cont = false;

	while ((found = printk_get_level(text))) {
		if (found >= '0' && found <= '7')
			level = found - '0';
		else if (found == 'c')
			cont = true;
		text += 2;
	}
	if (length && !cont) {
		line[length] = 0;
		host->log(line_level, line);
		length = 0;
	}
	if (!length)
		line_level = level;
	for (; *text; text++, bytes++) {
		if (*text != '\n' && length < LINE_MAX - 1) {
			line[length++] = *text;
			continue;
		}
		line[length] = 0;
		host->log(line_level, line);
		length = 0;
	}
	if (length && !cont) {
		line[length] = 0;
		host->log(line_level, line);
		length = 0;
	}
	return bytes;
}

int vprintk_emit(int facility, int level, const struct dev_printk_info *dev_info, const char *fmt,
		 va_list args)
{
	char text[LINE_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	return log_text(level < 0 ? 4 : level, text);
}

asmlinkage int vprintk(const char *fmt, va_list args)
{
	return vprintk_emit(0, -1, NULL, fmt, args);
}

asmlinkage int _printk(const char *fmt, ...)
{
	va_list args;
	int bytes;

	va_start(args, fmt);
	bytes = vprintk_emit(0, -1, NULL, fmt, args);
	va_end(args);
	return bytes;
}

asmlinkage int _printk_deferred(const char *fmt, ...)
{
	va_list args;
	int bytes;

	va_start(args, fmt);
	bytes = vprintk_emit(0, -1, NULL, fmt, args);
	va_end(args);
	return bytes;
}

void shim_leak(const char *format, ...)
{
	char text[LINE_MAX] = "leak: ";
	va_list args;

	va_start(args, format);
	vsnprintf(text + 6, sizeof(text) - 6, format, args);
	va_end(args);
	host->log(3, text);
}

/* ---- the end ------------------------------------------------------------------------------------------- */

void trap(const char *why)
{
	for (;;)
		host->panic(why);
}

void shim_unreached(const char *name) __noreturn;
void shim_unreached(const char *name)
{
	static char text[128];

	snprintf(text, sizeof(text), "the kernel called %s(), which no supported machine reaches",
		 name);
	trap(text);
}

void panic(const char *fmt, ...)
{
	static char text[LINE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	trap(text);
}

void warn_slowpath_fmt(const char *file, const int line, unsigned int taint, const char *fmt, ...)
{
	va_list args;

	kcounters.warnings++;
	_printk(KERN_WARNING "WARNING: %s:%d, task %s\n", file, line,
		current ? current->comm : "none");
	if (!fmt)
		return;
	va_start(args, fmt);
	vprintk_emit(0, 4, NULL, fmt, args);
	va_end(args);
}

void __warn_printk(const char *fmt, ...)
{
	va_list args;

	kcounters.warnings++;
	va_start(args, fmt);
	vprintk_emit(0, 4, NULL, fmt, args);
	va_end(args);
}

void dump_stack_lvl(const char *log_lvl)
{
}

void dump_stack(void)
{
}

void add_taint(unsigned flag, enum lockdep_ok lockdep_ok)
{
}

int __printk_ratelimit(const char *func)
{
	return 1;
}

/* Addresses of host code are not a property of the machine: they are not printed */
static int no_symbol(char *buffer)
{
	buffer[0] = '?';
	buffer[1] = 0;
	return 1;
}

int sprint_symbol(char *buffer, unsigned long address)
{
	return no_symbol(buffer);
}

int sprint_symbol_build_id(char *buffer, unsigned long address)
{
	return no_symbol(buffer);
}

int sprint_symbol_no_offset(char *buffer, unsigned long address)
{
	return no_symbol(buffer);
}

int sprint_backtrace(char *buffer, unsigned long address)
{
	return no_symbol(buffer);
}

int sprint_backtrace_build_id(char *buffer, unsigned long address)
{
	return no_symbol(buffer);
}
