/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of sim/config share: one value's text form, and the set behind its files. */
#ifndef SIM_CONFIG_PARAM_INTERNAL_H
#define SIM_CONFIG_PARAM_INTERNAL_H

#include "sim/config/param.h"

#define PARAM_VALUE_MAX 512 /* a value's text form, or what is allowed for it */

/* A value of any type. PARAM_ENUM, PARAM_BOOL: u. */
union param_value {
	uint64_t u;
	double f;
	const char *s;
};

/* NULL, or what is wrong with the text; *value borrows a string from it. */
const char *param_value_parse(const struct param_desc *desc, const char *text,
			      union param_value *value);
void param_value_format(const struct param_desc *desc, union param_value value, char *buf,
			size_t size);
/* The range, the choices, …: "1..64". */
void param_value_allowed(const struct param_desc *desc, char *buf, size_t size);
union param_value param_value_default(const struct param_desc *desc);

struct param_entry {
	const struct param_group *group;
	const struct param_desc *desc;
	char *key;    /* in full */
	char *string; /* PARAM_STRING: the value */
	/* where the file that is being read sets it */
	unsigned int file; /* which one; 0 = none */
	size_t line;
};

struct param_set {
	struct param_group *groups;
	size_t group_count;
	struct param_entry *entries; /* in table order */
	size_t entry_count;
	char *description;
	unsigned int files_read;
};

/* Where a value comes from, for errors. */
struct param_source {
	const char *name; /* the file, or "-s" */
	size_t line;	  /* 0 = none */
};

struct param_entry *param_find(const struct param_set *set, const char *key);
/* Whether there are parameters below this key. */
bool param_is_group(const struct param_set *set, const char *key);
int param_set_text(struct param_set *set, const struct param_source *source, const char *key,
		   const char *text, struct param_error *error);

/* "FILE:LINE: KEY: VALUE: reason (allowed: …)"; -1. `value` and `allowed` may be NULL. */
int param_fail(struct param_error *error, const struct param_source *source, const char *key,
	       const char *value, const char *reason, const char *allowed);

#endif
