// SPDX-License-Identifier: MIT
/*
 * An HTTP/1.0 server for the files of a directory, in one thread:
 * cc httpd.c -laring
 *
 *	httpd [DIR [PORT]]	on 127.0.0.1; 8080, or any free port for 0
 *
 * GET and HEAD. Read echo.c first: accepting is the same. New here:
 *
 * - A connection goes through stages (receive a request, read a piece of the
 *   file, send it). Each is one request in the ring; c->done is called with its
 *   result and starts the next one.
 * - What waits for the peer is a chain of two, the RECV or SEND and a
 *   LINK_TIMEOUT: a peer that does nothing for half a minute gets no more.
 *   Who was taken back completes with -ECANCELED.
 * - Files are opened by openat2(2), which does not leave the directory, neither
 *   by ".." nor by symbolic links.
 */
#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/openat2.h>
#include <aring.h>

#define MAX_CONNECTIONS	4096

struct connection {
	int fd;
	int file;			/* what is being sent, or -1 */
	int keep;			/* there may be another request */
	int paused;			/* the request out is a TIMEOUT */
	void (*start)(struct connection *c);
	void (*done)(struct connection *c, int res);
	off_t pos, size;		/* in the file */
	unsigned int in_len;		/* received and not yet used */
	unsigned int out_len, sent;
	char in[4096 + 1];
	char out[16384];
};

/* user_data of the requests that belong to no connection */
static char new_connection, accept_again, time_limit;

static struct aring ring;
static int listen_fd, root_fd, accepting_paused;
static unsigned int connections, max_connections = MAX_CONNECTIONS;
static const struct __kernel_timespec a_while = { .tv_nsec = 100000000 };
static const struct __kernel_timespec too_long = { .tv_sec = 30 };

static void next_request(struct connection *c);
static void receive(struct connection *c);

/* ---- asking the ring ---------------------------------------------------- */

/* An entry to fill in, with room for @more behind it. */
static struct aring_sqe *get_sqe(void *user_data, unsigned int more)
{
	struct aring_sqe *sqe;
	int ret;

	/* A chain must not be torn: it goes to the kernel in one call. */
	while (aring_sq_space_left(&ring) < 1 + more) {
		ret = aring_submit(&ring);
		if (ret < 0 && ret != -EAGAIN)
			errx(1, "submit: %s", strerror(-ret));
	}
	sqe = aring_get_sqe(&ring);
	aring_sqe_set_data(sqe, user_data);
	return sqe;
}

/* The request just prepared does not wait for ever. */
static void limit_time(struct aring_sqe *sqe)
{
	aring_sqe_set_flags(sqe, ARING_SQE_IO_LINK);
	aring_prep_link_timeout(get_sqe(&time_limit, 0), &too_long, 0);
}

static void start_recv(struct connection *c)
{
	struct aring_sqe *sqe = get_sqe(c, 1);

	aring_prep_recv(sqe, c->fd, c->in + c->in_len,
			sizeof(c->in) - 1 - c->in_len, 0);
	limit_time(sqe);
}

static void start_send(struct connection *c)
{
	struct aring_sqe *sqe = get_sqe(c, 1);

	aring_prep_send(sqe, c->fd, c->out + c->sent, c->out_len - c->sent, 0);
	limit_time(sqe);
}

/* Fill what is left of the buffer with what is left of the file. */
static void start_read(struct connection *c)
{
	size_t n = sizeof(c->out) - c->out_len;

	if ((off_t)n > c->size - c->pos)
		n = c->size - c->pos;
	aring_prep_read(get_sqe(c, 0), c->file, c->out + c->out_len, n, c->pos);
}

/* Start a request; what becomes of it is told to @done. */
static void go(struct connection *c, void (*start)(struct connection *),
	       void (*done)(struct connection *, int))
{
	c->start = start;
	c->done = done;
	start(c);
}

/* The request of @c is over. */
static void completed(struct connection *c, int res)
{
	if (c->paused) {
		c->paused = 0;
		c->start(c);
	} else if (res == -ENOBUFS || res == -ENOMEM || res == -EAGAIN) {
		c->paused = 1;
		aring_prep_timeout(get_sqe(c, 0), &a_while, 0, 0);
	} else if (res == -EINTR) {
		c->start(c);
	} else {
		c->done(c, res);
	}
}

/* ---- the end of a connection -------------------------------------------- */

/* Nothing of the connection is in the ring now, so it can go at once. */
static void hang_up(struct connection *c)
{
	if (c->file >= 0)
		close(c->file);
	close(c->fd);
	free(c);
	connections--;
}

static void drained(struct connection *c, int res)
{
	c->in_len = 0;
	if (res > 0)
		go(c, start_recv, drained);
	else
		hang_up(c);
}

/*
 * To close with something unread would be a reset, which may overtake what was
 * sent last. So say that this is all, and wait until the peer has closed.
 */
static void finish(struct connection *c)
{
	shutdown(c->fd, SHUT_WR);
	c->in_len = 0;
	go(c, start_recv, drained);
}

/* ---- an answer ---------------------------------------------------------- */

static void send_answer(struct connection *c);

static void was_read(struct connection *c, int res)
{
	/* Shorter than it was: the length that was promised cannot be kept. */
	if (res <= 0)
		return hang_up(c);
	c->pos += res;
	c->out_len += res;
	send_answer(c);
}

static void was_sent(struct connection *c, int res)
{
	if (res <= 0)
		return hang_up(c);
	c->sent += res;
	if (c->sent < c->out_len)
		return go(c, start_send, was_sent);
	c->out_len = 0;
	if (c->pos < c->size)
		return go(c, start_read, was_read);

	if (c->file >= 0)
		close(c->file);
	c->file = -1;
	if (c->keep)
		next_request(c);
	else
		finish(c);
}

static void send_answer(struct connection *c)
{
	c->sent = 0;
	go(c, start_send, was_sent);
}

static void __attribute__((format(printf, 2, 3)))
put(struct connection *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	c->out_len += vsnprintf(c->out + c->out_len,
				sizeof(c->out) - c->out_len, format, args);
	va_end(args);
}

/* All of it is ours and short, so that it always fits. */
static void put_head(struct connection *c, const char *status,
		     const char *type, long long length)
{
	c->out_len = 0;
	put(c, "HTTP/1.0 %s\r\n", status);
	put(c, "Server: aring-httpd\r\n");
	put(c, "Content-Type: %s\r\n", type);
	put(c, "Content-Length: %lld\r\n", length);
	if (!strncmp(status, "405", 3))
		put(c, "Allow: GET, HEAD\r\n");
	put(c, "Connection: %s\r\n\r\n", c->keep ? "keep-alive" : "close");
}

/* An answer without a file; a HEAD gets it without the text. */
static void refuse(struct connection *c, const char *status, int head)
{
	put_head(c, status, "text/plain", strlen(status) + 1);
	if (!head)
		put(c, "%s\n", status);
	c->pos = 0;
	c->size = 0;
	send_answer(c);
}

static const char *type_of(const char *path)
{
	static const char * const types[][2] = {
		{ ".html", "text/html" }, { ".txt", "text/plain" },
		{ ".css", "text/css" }, { ".js", "text/javascript" },
		{ ".svg", "image/svg+xml" }, { ".png", "image/png" },
		{ ".jpg", "image/jpeg" },
	};
	const char *dot = strrchr(path, '.');
	size_t i;

	for (i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(dot, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

/* Opens a file below the directory; a directory's own is index.html. */
static int open_below(const char *path, struct stat *st, const char **type)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int dir = root_fd, fd;

	*type = type_of(path);
	while (*path == '/')
		path++;
	fd = syscall(SYS_openat2, dir, *path ? path : ".", &how, sizeof(how));
	if (fd >= 0 && !fstat(fd, st) && S_ISDIR(st->st_mode)) {
		dir = fd;
		*type = "text/html";
		fd = syscall(SYS_openat2, dir, "index.html", &how, sizeof(how));
		close(dir);
	}
	if (fd >= 0 && (fstat(fd, st) || !S_ISREG(st->st_mode))) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

static void serve(struct connection *c, const char *path, int head)
{
	const char *type;
	struct stat st;

	c->file = open_below(path, &st, &type);
	if (c->file < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			return refuse(c, "503 Service Unavailable", head);
		return refuse(c, "404 Not Found", head);
	}
	put_head(c, "200 OK", type, st.st_size);
	c->pos = 0;
	c->size = head ? 0 : st.st_size;
	if (c->size)
		go(c, start_read, was_read);	/* behind the head */
	else
		send_answer(c);
}

/* ---- a request ---------------------------------------------------------- */

/* Undoes %XX in place; false for what is no encoding, and for a NUL. */
static int decode(char *s)
{
	char hex[3] = "", *to = s;

	for (; *s && *s != '?' && *s != '#'; s++, to++) {
		*to = *s;
		if (*s != '%')
			continue;
		if (!isxdigit((unsigned char)s[1]) ||
		    !isxdigit((unsigned char)s[2]))
			return 0;
		memcpy(hex, s + 1, 2);
		*to = (char)strtol(hex, NULL, 16);
		if (!*to)
			return 0;
		s += 2;
	}
	*to = '\0';
	return 1;
}

/* What the header fields say of the connection. */
static int wants_to_keep(const char *line)
{
	int keep = 0;

	while ((line = strstr(line, "\r\n"))) {
		line += 2;
		if (!strncasecmp(line, "Connection:", 11)) {
			line += 11 + strspn(line + 11, " \t");
			keep = !strncasecmp(line, "keep-alive", 10);
		}
		/* The body of a request is not read, nothing can follow it. */
		if (!strncasecmp(line, "Content-Length:", 15) ||
		    !strncasecmp(line, "Transfer-Encoding:", 18))
			return 0;
	}
	return keep;
}

/* A whole request, without the empty line that ends it. */
static void answer(struct connection *c, char *request)
{
	char *path, *version, *end = request + strcspn(request, "\r\n");
	int head;

	c->keep = 0;
	path = memchr(request, ' ', end - request);
	version = path ? memchr(path + 1, ' ', end - path - 1) : NULL;
	if (!version || end - version != 9 || path[1] != '/' ||
	    strncmp(version, " HTTP/1.", 8))
		return refuse(c, "400 Bad Request", 0);
	c->keep = wants_to_keep(end);
	*path++ = '\0';
	*version = '\0';
	if (!decode(path))
		return refuse(c, "400 Bad Request", 0);
	head = !strcmp(request, "HEAD");
	if (!head && strcmp(request, "GET"))
		return refuse(c, "405 Method Not Allowed", 0);
	serve(c, path, head);
}

/* Answer the next request if all of it is there, else receive more. */
static void next_request(struct connection *c)
{
	char request[sizeof(c->in)];
	size_t len;
	char *end;

	c->in[c->in_len] = '\0';
	end = strstr(c->in, "\r\n\r\n");
	if (!end && (strlen(c->in) < c->in_len ||
		     c->in_len == sizeof(c->in) - 1)) {
		/* It has a NUL in it, or is too long. */
		c->keep = 0;
		return refuse(c, "400 Bad Request", 0);
	}
	if (!end)
		return receive(c);

	/* What came behind it is the next one. */
	len = end - c->in;
	memcpy(request, c->in, len);
	request[len] = '\0';
	c->in_len -= len + 4;
	memmove(c->in, end + 4, c->in_len);
	answer(c, request);
}

static void was_received(struct connection *c, int res)
{
	if (res <= 0)
		return hang_up(c);
	c->in_len += res;
	next_request(c);
}

static void receive(struct connection *c)
{
	go(c, start_recv, was_received);
}

/* ---- connections, as in echo.c ------------------------------------------ */

static void await_connections(void)
{
	aring_prep_poll_multishot(get_sqe(&new_connection, 0), listen_fd,
				  EPOLLIN);
}

static void pause_accepting(void)
{
	if (!accepting_paused)
		aring_prep_timeout(get_sqe(&accept_again, 0), &a_while, 0, 0);
	accepting_paused = 1;
}

static void accept_all(void)
{
	struct connection *c;
	int fd;

	for (;;) {
		if (connections == max_connections)
			return pause_accepting();
		fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) {
			switch (errno) {
			case EAGAIN:
				return;
			case EMFILE: case ENFILE: case ENOBUFS: case ENOMEM:
				return pause_accepting();
			case EINTR: case ECONNABORTED: case EPROTO: case EPERM:
				continue;
			default:
				err(1, "accept");
			}
		}
		c = malloc(sizeof(*c));
		if (!c) {
			close(fd);
			return pause_accepting();
		}
		c->fd = fd;
		c->file = -1;
		c->paused = 0;
		c->in_len = 0;
		connections++;
		receive(c);
	}
}

static void handle(const struct aring_cqe *cqe)
{
	void *data = aring_cqe_get_data(cqe);

	if (data == &time_limit) {
		;			/* its request says what happened */
	} else if (data == &new_connection) {
		if (!(cqe->flags & ARING_CQE_F_MORE)) {
			if (cqe->res < 0 && cqe->res != -ECANCELED)
				errx(1, "poll: %s", strerror(-cqe->res));
			await_connections();
		}
		accept_all();
	} else if (data == &accept_again) {
		accepting_paused = 0;
		accept_all();
	} else {
		completed(data, cqe->res);
	}
}

static int listen_on(int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int one = 1;
	int fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 4096) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		err(1, "port %d", port);
	printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	struct aring_params p = {
		.flags = ARING_SETUP_CQSIZE,
		.cq_entries = 4 * MAX_CONNECTIONS,
	};
	const char *dir = argc > 1 ? argv[1] : ".";
	struct rlimit files;
	struct aring_cqe *cqe, copy;
	int ret;

	root_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		err(1, "%s", dir);
	/* Who has been accepted can have a file, too. */
	if (!getrlimit(RLIMIT_NOFILE, &files) &&
	    files.rlim_cur / 2 < max_connections + 8)
		max_connections = files.rlim_cur < 32 ? 8 :
						files.rlim_cur / 2 - 8;
	ret = aring_queue_init_params(256, &ring, &p);
	if (ret < 0)
		errx(1, "no ring: %s (try: aring info)", strerror(-ret));
	listen_fd = listen_on(argc > 2 ? atoi(argv[2]) : 8080);
	await_connections();

	for (;;) {
		ret = aring_submit_and_wait(&ring, 1);
		if (ret < 0 && ret != -EINTR && ret != -EAGAIN)
			errx(1, "the ring failed: %s", strerror(-ret));
		while (!aring_peek_cqe(&ring, &cqe)) {
			copy = *cqe;	/* its place is free from here on */
			aring_cqe_seen(&ring, cqe);
			handle(&copy);
		}
	}
}
