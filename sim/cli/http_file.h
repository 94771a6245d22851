/* SPDX-License-Identifier: BSD-3-Clause */
/* One file over HTTP/1.1 on 127.0.0.1, for one web page: the smallest server that a browser accepts. */
#ifndef SIM_CLI_HTTP_FILE_H
#define SIM_CLI_HTTP_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct http_file {
	const char *path;   /* the file; opened anew for each request */
	const char *target; /* what it is called: "/trace.pftrace" */
	const char
		*origin; /* the one web origin whose pages may read it: "https://ui.perfetto.dev" */
	bool once;	 /* end when a client has the file in full */
};

/*
 * A listening socket on 127.0.0.1; *port 0 takes any free one and says which. -1 with errno set.
 * From then on SIGINT, SIGTERM and SIGHUP wait for http_file_serve().
 */
int http_file_listen(uint16_t *port);

/* Answers until SIGINT, SIGTERM, SIGHUP, or `once`. Closes the listener. 0, or -1 with errno set. */
int http_file_serve(const struct http_file *file, int listener, uint16_t port);

#endif
