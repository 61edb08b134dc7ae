// SPDX-License-Identifier: MIT
/* Reads a file through the ring and prints it: cc readfile.c -laring */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <aring.h>

int main(int argc, char **argv)
{
	static char buf[65536];
	struct aring_sqe *sqe;
	struct aring_cqe *cqe;
	struct aring ring;
	__u64 off = 0;
	int fd, ret;

	fd = open(argc > 1 ? argv[1] : "/etc/hostname", O_RDONLY);
	if (fd < 0)
		err(1, "open");
	ret = aring_queue_init(8, &ring, 0);
	if (ret < 0)
		errx(1, "no ring: %s (try: aring info)", strerror(-ret));

	do {
		sqe = aring_get_sqe(&ring);
		aring_prep_read(sqe, fd, buf, sizeof(buf), off);
		ret = aring_submit_and_wait(&ring, 1);
		if (ret < 0 || aring_wait_cqe(&ring, &cqe) < 0)
			errx(1, "the ring failed");
		ret = cqe->res;			/* bytes read, or -errno */
		aring_cqe_seen(&ring, cqe);
		if (ret > 0)
			fwrite(buf, 1, ret, stdout);
		off += ret;
	} while (ret > 0);

	aring_queue_exit(&ring);
	return ret < 0;
}
