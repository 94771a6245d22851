/* SPDX-License-Identifier: BSD-3-Clause */
/* Folders and files that commands write. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/cli/files.h"

int cli_make_folder(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) && errno != EEXIST) {
			*slash = '/';
			return -1;
		}
		*slash = '/';
	}
	return mkdir(path, 0777) && errno != EEXIST ? -1 : 0;
}

int cli_write_text(const char *path, const char *text)
{
	char temporary[PATH_MAX + sizeof(".tmp")];
	FILE *file;
	bool bad;

	snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	file = fopen(temporary, "w");
	if (!file)
		return -1;
	bad = fputs(text, file) < 0;
	bad |= fputc('\n', file) < 0;
	bad |= fclose(file) != 0;
	if (bad || rename(temporary, path)) {
		int error = errno;

		unlink(temporary);
		errno = error;
		return -1;
	}
	return 0;
}
