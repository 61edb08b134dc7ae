// SPDX-License-Identifier: MIT
/*
 * A load for an echo server, on plain sockets and epoll: CONNECTIONS at once, all
 * open before the first byte is sent and until the last has come back. Each
 * sends BLOCKS blocks, whose bytes say which connection and which position they
 * belong to, and up to WINDOW bytes ahead of what has come back. Every byte that
 * comes back must be the one that was sent at its position; behind the last one
 * must be nothing but the end.
 *
 *	echo_load PORT CONNECTIONS BLOCKS [close]
 *
 * With "close" each connection is closed when its last byte has come back, for
 * servers that cannot have all of them open at once.
 *
 * Prints "CONNECTIONS connections, BYTES bytes, SECONDS s", and what went wrong
 * on stderr.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	1000		/* no power of two: blocks straddle buffers */
#define WINDOW	6000

/* No progress on any connection for so long is an error. */
#define PATIENCE_MS	60000

struct client {
	int fd;
	uint32_t number;
	uint64_t sent, received;
	int shut;		/* all was sent, and the end was told */
	int over;		/* the end has come back */
};

static struct client *clients;
static unsigned int nr_clients, open_clients;
static uint64_t total;		/* bytes of each connection */
static int epoll_fd, close_early;

/* Any two connections, and any two places of one, differ within eight bytes. */
static void pattern(unsigned char *buf, size_t n, uint32_t number, uint64_t pos)
{
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < n; i++, pos++) {
		if (!i || !(pos % 8)) {
			word = (pos / 8 + 1) * 0x9e3779b97f4a7c15ULL +
			       (uint64_t)number * 0xc2b2ae3d27d4eb4fULL;
			word ^= word >> 29;
		}
		buf[i] = (unsigned char)(word >> pos % 8 * 8);
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void connect_all(int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	unsigned int i;

	for (i = 0; i < nr_clients; i++) {
		struct epoll_event ev = {
			.events = EPOLLIN | EPOLLOUT | EPOLLET,
			.data.u32 = i,
		};
		struct client *c = &clients[i];

		c->number = i;
		c->fd = socket(AF_INET, SOCK_STREAM, 0);
		if (c->fd < 0)
			err(1, "socket");
		if (connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)))
			err(1, "connection %u", i);
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &ev))
			err(1, "epoll_ctl");
	}
	open_clients = nr_clients;
}

static void send_some(struct client *c)
{
	unsigned char buf[BLOCK];

	while (c->sent < total && c->sent - c->received + BLOCK <= WINDOW) {
		size_t n = BLOCK - c->sent % BLOCK;
		ssize_t ret;

		pattern(buf, n, c->number, c->sent);
		ret = send(c->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (ret < 0 && errno == EAGAIN)
			return;
		if (ret < 0)
			err(1, "connection %u: send at %llu", c->number,
			    (unsigned long long)c->sent);
		c->sent += ret;
	}
	if (c->sent == total && !c->shut) {
		c->shut = 1;
		if (shutdown(c->fd, SHUT_WR))
			err(1, "connection %u: shutdown", c->number);
	}
}

/* False if there is nothing more for now. */
static int receive_some(struct client *c)
{
	unsigned char buf[8192], want[sizeof(buf)];
	ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		err(1, "connection %u: recv at %llu", c->number,
		    (unsigned long long)c->received);
	if (n == 0) {
		if (c->received != total)
			errx(1, "connection %u: ended after %llu of %llu bytes",
			     c->number, (unsigned long long)c->received,
			     (unsigned long long)total);
		c->over = 1;
		open_clients--;
		if (close_early)
			close(c->fd);
		return 0;
	}
	if (c->received + n > c->sent)
		errx(1, "connection %u: %llu bytes came back of %llu sent",
		     c->number, (unsigned long long)(c->received + n),
		     (unsigned long long)c->sent);
	pattern(want, n, c->number, c->received);
	if (memcmp(buf, want, n))
		errx(1, "connection %u: wrong bytes in the %zd at %llu",
		     c->number, n, (unsigned long long)c->received);
	c->received += n;
	return 1;
}

static void serve(struct client *c)
{
	if (c->over)
		return;
	send_some(c);
	while (receive_some(c))
		send_some(c);
}

int main(int argc, char **argv)
{
	struct rlimit files;
	double start;

	if (argc != 4 && (argc != 5 || strcmp(argv[4], "close")))
		errx(2, "usage: echo_load PORT CONNECTIONS BLOCKS [close]");
	close_early = argc == 5;
	nr_clients = atoi(argv[2]);
	total = (uint64_t)atoi(argv[3]) * BLOCK;
	clients = calloc(nr_clients, sizeof(*clients));
	epoll_fd = epoll_create1(0);
	if (!clients || epoll_fd < 0)
		err(1, "setting up");
	if (!getrlimit(RLIMIT_NOFILE, &files) &&
	    files.rlim_cur < nr_clients + 64) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}

	connect_all(atoi(argv[1]));
	start = now();
	while (open_clients) {
		struct epoll_event ev[64];
		int n = epoll_wait(epoll_fd, ev, 64, PATIENCE_MS);

		if (n < 0 && errno != EINTR)
			err(1, "epoll_wait");
		if (n == 0)
			errx(1, "nothing came for %d s, %u connections open",
			     PATIENCE_MS / 1000, open_clients);
		while (n-- > 0)
			serve(&clients[ev[n].data.u32]);
	}
	printf("%u connections, %llu bytes, %.3f s\n", nr_clients,
	       (unsigned long long)(nr_clients * total), now() - start);
	return 0;
}
