/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parameters: every size, latency, slot count and policy of a machine or a workload is declared
 * once, in a table beside the struct that it fills.
 *
 * A model owns a group: a plain struct, and an array of param_desc that says for each field its
 * key, type, unit (the key's suffix), range, default, help and origin. The platform lists the
 * groups; one setter serves YAML files and `-s key=value`.
 */
#ifndef SIM_CONFIG_PARAM_H
#define SIM_CONFIG_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum param_type {
	PARAM_U64,    /* field uint64_t; accepts 0x…, and suffixes KiB, MiB, GiB, TiB */
	PARAM_U32,    /* field uint32_t */
	PARAM_BOOL,   /* field bool; true, false, yes, no, on, off */
	PARAM_ENUM,   /* field uint32_t; index into `choices` */
	PARAM_F64,    /* field double */
	PARAM_STRING, /* field const char *; owned by the set */
};

struct param_desc {
	const char *key; /* within the group, for example "tlb_entries" */
	enum param_type type;
	size_t offset; /* of the field in the group's struct */
	union {
		uint64_t u;
		double f;
		const char *s; /* PARAM_STRING; PARAM_ENUM: the choice's name */
	} def;
	double min, max;	    /* numbers: inclusive range */
	const char *const *choices; /* PARAM_ENUM: names, NULL-terminated */
	bool power_of_two;	    /* numbers: allowed values are powers of two within the range */
	const char *help;	    /* one line */
	const char *origin;	    /* a citation, or "assumed" */
};

struct param_group {
	const char *prefix; /* for example "smmu"; keys are prefix.key; "" for keys without one */
	const struct param_desc *descs;
	size_t count;
	void *values; /* the struct that is filled in */
};

/* A set of groups that are configured together. The groups and their structs outlive the set. */
struct param_set;

struct param_set *param_set_new(const struct param_group *groups,
				size_t count); /* applies the defaults */
void param_set_free(struct param_set *set);

/*
 * Errors are one line in `error` (allocated by the caller): "FILE:LINE: KEY: VALUE: what is wrong (allowed: …)".
 * All return 0, or -1 with the line filled in.
 */
struct param_error {
	char text[512];
};

/*
 * Reads a YAML file of nested mappings: `smmu: { tlb_entries: 64 }` sets smmu.tlb_entries. The reserved top-level keys
 * `description` (a string) and `include` (a file relative to this one, applied first) are the file's own.
 * `smmu.tlb_entries: 64` is the same. A duplicate key is an error; overriding what an included file
 * sets is not.
 */
int param_load_yaml(struct param_set *set, const char *path, struct param_error *error);

/* "key=value", as from the command line; `where` names the source in the error, for example "-s". */
int param_assign(struct param_set *set, const char *where, const char *assignment,
		 struct param_error *error);

/* The value as text, in the form that the setter accepts. Returns buf, or NULL for an unknown key. */
const char *param_format(const struct param_set *set, const char *key, char *buf, size_t size);

/* For listings and generated documentation, in table order. */
typedef void (*param_visit_fn)(void *arg, const char *full_key, const struct param_desc *desc,
			       const char *value, const char *default_value, const char *allowed);
void param_visit(const struct param_set *set, param_visit_fn fn, void *arg);

/* The description of the last file loaded, or "". */
const char *param_description(const struct param_set *set);

#define PARAM_U64_(group, field, default_, min_, max_, help_, origin_)                             \
	{                                                                                          \
		.key = #field, .type = PARAM_U64, .offset = offsetof(struct group, field),         \
		.def.u = (default_), .min = (double)(min_), .max = (double)(max_),                 \
		.help = (help_), .origin = (origin_)                                               \
	}
#define PARAM_U32_(group, field, default_, min_, max_, help_, origin_)                             \
	{                                                                                          \
		.key = #field, .type = PARAM_U32, .offset = offsetof(struct group, field),         \
		.def.u = (default_), .min = (double)(min_), .max = (double)(max_),                 \
		.help = (help_), .origin = (origin_)                                               \
	}
#define PARAM_POW2_(group, field, default_, min_, max_, help_, origin_)                            \
	{                                                                                          \
		.key = #field, .type = PARAM_U32, .offset = offsetof(struct group, field),         \
		.def.u = (default_), .min = (double)(min_), .max = (double)(max_),                 \
		.power_of_two = true, .help = (help_), .origin = (origin_)                         \
	}
#define PARAM_BOOL_(group, field, default_, help_, origin_)                                        \
	{                                                                                          \
		.key = #field, .type = PARAM_BOOL, .offset = offsetof(struct group, field),        \
		.def.u = (default_), .max = 1, .help = (help_), .origin = (origin_)                \
	}
#define PARAM_F64_(group, field, default_, min_, max_, help_, origin_)                             \
	{                                                                                          \
		.key = #field, .type = PARAM_F64, .offset = offsetof(struct group, field),         \
		.def.f = (default_), .min = (min_), .max = (max_), .help = (help_),                \
		.origin = (origin_)                                                                \
	}
#define PARAM_ENUM_(group, field, default_, choices_, help_, origin_)                              \
	{                                                                                          \
		.key = #field, .type = PARAM_ENUM, .offset = offsetof(struct group, field),        \
		.def.s = (default_), .choices = (choices_), .help = (help_), .origin = (origin_)   \
	}
#define PARAM_STRING_(group, field, default_, help_, origin_)                                      \
	{                                                                                          \
		.key = #field, .type = PARAM_STRING, .offset = offsetof(struct group, field),      \
		.def.s = (default_), .help = (help_), .origin = (origin_)                          \
	}

#ifdef __cplusplus
}
#endif
#endif
