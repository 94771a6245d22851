/* SPDX-License-Identifier: BSD-3-Clause */
/* Folders and files that commands write. */
#ifndef SIM_CLI_FILES_H
#define SIM_CLI_FILES_H

/* Makes a folder and those above it; one that exists is fine. `path` is changed in between. 0, or -1 with errno set. */
int cli_make_folder(char *path);

/* Writes the text and a newline. The file is whole, or what it was. 0, or -1 with errno set. */
int cli_write_text(const char *path, const char *text);

#endif
