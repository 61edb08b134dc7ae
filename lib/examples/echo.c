// SPDX-License-Identifier: MIT
/*
 * A TCP echo server in one thread: cc echo.c -laring
 *
 *	echo [PORT]		on 127.0.0.1; 7007, or any free port for 0
 *
 * Each connection has one request in the ring at a time, a RECV or a SEND, whose
 * user_data points to the connection; what completes says what comes next. All
 * requests of a round go to the kernel in the one call that also waits.
 *
 * Connections are accepted the way of readiness: a poll, armed once, says each
 * time that somebody has come, and accept4(2) fetches them. There is no ACCEPT
 * among aring's operations, since a module could only accept behind the back of
 * the security policy.
 */
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <aring.h>

#define MAX_CONNECTIONS	4096

struct connection {
	int fd;
	enum { RECEIVING, SENDING } doing;
	int paused;			/* the request out is a TIMEOUT */
	unsigned int len, sent;		/* of what is in buf */
	char buf[4096];
};

/* user_data of the requests that belong to no connection */
static char new_connection, accept_again;

static struct aring ring;
static int listen_fd, connections, accepting_paused;
static const struct __kernel_timespec a_while = { .tv_nsec = 100000000 };

/* An entry to fill in; if there is none, the kernel is given those that are. */
static struct aring_sqe *get_sqe(void *user_data)
{
	struct aring_sqe *sqe;
	int ret;

	while (!(sqe = aring_get_sqe(&ring))) {
		ret = aring_submit(&ring);
		if (ret < 0 && ret != -EAGAIN)
			errx(1, "submit: %s", strerror(-ret));
	}
	aring_sqe_set_data(sqe, user_data);
	return sqe;
}

/* Ask for what the connection is to do next. */
static void start(struct connection *c)
{
	struct aring_sqe *sqe = get_sqe(c);

	if (c->doing == RECEIVING)
		aring_prep_recv(sqe, c->fd, c->buf, sizeof(c->buf), 0);
	else
		aring_prep_send(sqe, c->fd, c->buf + c->sent, c->len - c->sent,
				0);
}

static void await_connections(void)
{
	aring_prep_poll_multishot(get_sqe(&new_connection), listen_fd, EPOLLIN);
}

static void pause_accepting(void)
{
	if (!accepting_paused)
		aring_prep_timeout(get_sqe(&accept_again), &a_while, 0, 0);
	accepting_paused = 1;
}

/*
 * The poll tells of changes, so fetch all that are there. Those for whom there
 * is no room wait in the kernel, and are asked for again after a while.
 */
static void accept_all(void)
{
	struct connection *c;
	int fd;

	for (;;) {
		if (connections == MAX_CONNECTIONS)
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
		c->doing = RECEIVING;
		c->paused = 0;
		connections++;
		start(c);
	}
}

/* Nothing of the connection is in the ring now, so it can go at once. */
static void hang_up(struct connection *c)
{
	close(c->fd);
	free(c);
	connections--;
}

/* The request of @c is over, with @res: a number of bytes, or an error. */
static void completed(struct connection *c, int res)
{
	if (c->paused) {
		c->paused = 0;		/* and once more */
	} else if (res == -ENOBUFS || res == -ENOMEM || res == -EAGAIN) {
		c->paused = 1;
		aring_prep_timeout(get_sqe(c), &a_while, 0, 0);
		return;
	} else if (res == -EINTR) {
		;			/* once more */
	} else if (res <= 0) {
		hang_up(c);		/* the end, or a peer that is gone */
		return;
	} else if (c->doing == RECEIVING) {
		c->len = res;
		c->sent = 0;
		c->doing = SENDING;
	} else {
		c->sent += res;		/* perhaps not all of it */
		if (c->sent == c->len)
			c->doing = RECEIVING;
	}
	start(c);
}

static void handle(const struct aring_cqe *cqe)
{
	void *data = aring_cqe_get_data(cqe);

	if (data == &new_connection) {
		/* Without MORE the poll has ended, and is armed again. */
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
		.cq_entries = 2 * MAX_CONNECTIONS,
	};
	struct aring_cqe *cqe, copy;
	int ret;

	ret = aring_queue_init_params(256, &ring, &p);
	if (ret < 0)
		errx(1, "no ring: %s (try: aring info)", strerror(-ret));
	listen_fd = listen_on(argc > 1 ? atoi(argv[1]) : 7007);
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
