/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GET, HEAD and OPTIONS of one file, one request per connection, several connections at a time: a
 * browser opens some in advance and says nothing on them. Nothing is served to a page of another
 * origin, nor to one that reached 127.0.0.1 under a name of its own (DNS rebinding).
 */
#define _GNU_SOURCE /* accept4(), ppoll() */
#include "sim/cli/http_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16
#define HEAD_BYTES	8192
#define CHUNK_BYTES	(1u << 20)

enum connection_state {
	FREE,
	READING, /* the request's head */
	SENDING, /* the answer's head, then the file */
	CLOSING, /* the answer is out; what the client still sends is drained, so that it is not cut off */
};

struct connection {
	enum connection_state state;
	int fd;
	uint64_t serial; /* the lowest is the oldest */
	char head[HEAD_BYTES];
	size_t used, sent; /* of head */
	int file;	   /* -1: the answer has no body, or it is in head */
	off_t at, end;	   /* of the file */
};

struct server {
	const struct http_file *what;
	uint16_t port;
	int listener;
	uint64_t accepted;
	bool served; /* a client had the file in full */
	struct connection connections[CONNECTIONS_MAX];
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void drop(struct connection *c)
{
	close(c->fd);
	if (c->file >= 0)
		close(c->file);
	c->state = FREE;
}

/* ---- requests ---------------------------------------------------------------------------------- */

/* A header's value in a request's head, which ends in an empty line; NULL if it is not there. */
static const char *header(const char *head, const char *name, size_t *length)
{
	const size_t name_length = strlen(name);

	for (const char *line = strchr(head, '\n'); line; line = strchr(line, '\n')) {
		line++;
		if (strncasecmp(line, name, name_length) || line[name_length] != ':')
			continue;
		line += name_length + 1;
		line += strspn(line, " \t");
		*length = strcspn(line, "\r\n");
		while (*length && (line[*length - 1] == ' ' || line[*length - 1] == '\t'))
			--*length;
		return line;
	}
	return NULL;
}

static bool header_is(const char *value, size_t length, const char *text)
{
	return strlen(text) == length && !strncasecmp(value, text, length);
}

static bool host_allowed(const struct server *server, const char *head)
{
	char loopback[32], localhost[32];
	size_t length;
	const char *host = header(head, "Host", &length);

	snprintf(loopback, sizeof(loopback), "127.0.0.1:%u", server->port);
	snprintf(localhost, sizeof(localhost), "localhost:%u", server->port);
	return !host || header_is(host, length, loopback) || header_is(host, length, localhost);
}

static bool origin_allowed(const struct server *server, const char *head)
{
	size_t length;
	const char *origin = header(head, "Origin", &length);

	return !origin || header_is(origin, length, server->what->origin);
}

/* "GET /name?query HTTP/1.1" */
struct request {
	char method[16], target[1024], version[16];
};

static bool parse(const char *head, struct request *request)
{
	if (sscanf(head, "%15[A-Z] %1023[^ \r\n] %15[^ \r\n]", request->method, request->target,
		   request->version) != 3)
		return false;
	request->target[strcspn(request->target, "?")] = '\0';
	return !strncmp(request->version, "HTTP/1.", 7);
}

/* ---- answers ----------------------------------------------------------------------------------- */

static void answer(const struct server *server, struct connection *c, const char *status,
		   const char *type, off_t length, const char *more)
{
	c->used = (size_t)snprintf(c->head, sizeof(c->head),
				   "HTTP/1.1 %s\r\n"
				   "Content-Type: %s\r\n"
				   "Content-Length: %lld\r\n"
				   "Cache-Control: no-store\r\n"
				   "Access-Control-Allow-Origin: %s\r\n"
				   "Vary: Origin\r\n"
				   "Connection: close\r\n"
				   "%s\r\n",
				   status, type, (long long)length, server->what->origin, more);
	c->sent = 0;
	c->state = SENDING;
}

static void answer_error(const struct server *server, struct connection *c, const char *status,
			 bool head_only)
{
	answer(server, c, status, "text/plain", (off_t)strlen(status) + 1,
	       "Allow: GET, HEAD, OPTIONS\r\n");
	if (!head_only)
		c->used += (size_t)snprintf(c->head + c->used, sizeof(c->head) - c->used, "%s\n",
					    status);
}

static void answer_file(const struct server *server, struct connection *c, bool head_only)
{
	struct stat file;
	int fd = open(server->what->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &file)) {
		if (fd >= 0)
			close(fd);
		answer_error(server, c, "404 Not Found", head_only);
		return;
	}
	answer(server, c, "200 OK", "application/octet-stream", file.st_size, "");
	c->at = 0;
	c->end = file.st_size;
	c->file = fd;
	if (head_only) {
		close(fd);
		c->file = -1;
	}
}

static void answer_request(const struct server *server, struct connection *c)
{
	struct request request = {0};
	bool head_only;

	if (!parse(c->head, &request)) {
		answer_error(server, c, "400 Bad Request", false);
		return;
	}
	head_only = !strcmp(request.method, "HEAD");
	if (!host_allowed(server, c->head) || !origin_allowed(server, c->head))
		answer_error(server, c, "403 Forbidden", head_only);
	else if (strcmp(request.target, server->what->target) != 0)
		answer_error(server, c, "404 Not Found", head_only);
	else if (!strcmp(request.method, "OPTIONS"))
		/* the second is what Chromium asks before a public page may reach this machine */
		answer(server, c, "200 OK", "text/plain", 0,
		       "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"
		       "Access-Control-Allow-Private-Network: true\r\n");
	else if (head_only || !strcmp(request.method, "GET"))
		answer_file(server, c, head_only);
	else
		answer_error(server, c, "405 Method Not Allowed", false);
}

/* ---- connections ------------------------------------------------------------------------------- */

static void read_request(const struct server *server, struct connection *c)
{
	ssize_t n = recv(c->fd, c->head + c->used, sizeof(c->head) - 1 - c->used, 0);

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(c);
		return;
	}
	c->used += (size_t)n;
	c->head[c->used] = '\0';
	if (strstr(c->head, "\r\n\r\n") || strstr(c->head, "\n\n"))
		answer_request(server, c);
	else if (c->used == sizeof(c->head) - 1)
		answer_error(server, c, "431 Request Header Fields Too Large", false);
	else if (strlen(c->head) < c->used) /* no text */
		answer_error(server, c, "400 Bad Request", false);
}

static ssize_t send_part(struct connection *c)
{
	ssize_t n;

	if (c->sent < c->used) {
		n = send(c->fd, c->head + c->sent, c->used - c->sent, MSG_NOSIGNAL);
		if (n > 0)
			c->sent += (size_t)n;
		return n;
	}
	n = sendfile(c->fd, c->file, &c->at, CHUNK_BYTES);
	if (n == 0) /* shorter than it was */
		errno = EIO;
	return n;
}

static bool all_sent(const struct connection *c)
{
	return c->sent == c->used && (c->file < 0 || c->at >= c->end);
}

static void send_answer(struct connection *c)
{
	if (send_part(c) <= 0) {
		if (errno != EAGAIN && errno != EINTR)
			drop(c);
		return;
	}
	if (!all_sent(c))
		return;
	shutdown(c->fd, SHUT_WR);
	c->state = CLOSING;
}

static void drain(struct server *server, struct connection *c)
{
	char rest[4096];
	ssize_t n = recv(c->fd, rest, sizeof(rest), 0);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	if (c->file >= 0)
		server->served = true;
	drop(c);
}

/* A free place, or the oldest connection's. */
static struct connection *make_place(struct server *server)
{
	struct connection *oldest = &server->connections[0];

	for (unsigned int i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &server->connections[i];

		if (c->state == FREE)
			return c;
		if (c->serial < oldest->serial)
			oldest = c;
	}
	drop(oldest);
	return oldest;
}

static void accept_connection(struct server *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *c;

	if (fd < 0)
		return; /* it has gone again */
	c = make_place(server);
	c->state = READING;
	c->fd = fd;
	c->file = -1;
	c->used = 0;
	c->serial = server->accepted++;
}

static void step(struct server *server, struct connection *c)
{
	if (c->state == READING)
		read_request(server, c);
	else if (c->state == SENDING)
		send_answer(c);
	else if (c->state == CLOSING)
		drain(server, c);
}

/* From here on the signals that end the server come only while it waits, with this mask. */
static sigset_t waiting_mask;

static void prepare_signals(void)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
	const struct sigaction action = {.sa_handler = stop};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		sigaddset(&blocked, ending[i]);
	sigprocmask(SIG_BLOCK, &blocked, &waiting_mask);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		sigaction(ending[i], &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL); /* sendfile() to a closed connection */
}

/* Waits for what the network has, and does it. -1 with errno set. */
static int serve_some(struct server *server)
{
	struct pollfd polled[CONNECTIONS_MAX + 1];
	struct connection *whose[CONNECTIONS_MAX];
	nfds_t count = 0;

	for (unsigned int i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &server->connections[i];

		if (c->state == FREE)
			continue;
		whose[count] = c;
		polled[count++] = (struct pollfd){
			.fd = c->fd,
			.events = c->state == SENDING ? POLLOUT : POLLIN,
		};
	}
	polled[count] = (struct pollfd){.fd = server->listener, .events = POLLIN};
	if (ppoll(polled, count + 1, NULL, &waiting_mask) < 0)
		return errno == EINTR ? 0 : -1;
	for (nfds_t i = 0; i < count; i++)
		if (polled[i].revents)
			step(server, whose[i]);
	if (polled[count].revents)
		accept_connection(server);
	return 0;
}

int http_file_listen(uint16_t *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	const int on = 1;
	int error, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	/* an earlier one's connections in TIME_WAIT do not count */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&address, &length)) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	prepare_signals();
	*port = ntohs(address.sin_port);
	return fd;
}

int http_file_serve(const struct http_file *file, int listener, uint16_t port)
{
	static struct server server;
	int status = 0;

	server = (struct server){.what = file, .port = port, .listener = listener};
	while (!stopped && !(file->once && server.served) && !status)
		status = serve_some(&server);
	for (unsigned int i = 0; i < CONNECTIONS_MAX; i++)
		if (server.connections[i].state != FREE)
			drop(&server.connections[i]);
	close(listener);
	return status;
}
