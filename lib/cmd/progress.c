// SPDX-License-Identifier: MIT
/*
 * The progress bar of aring cp, and numbers for people.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"

double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* "12.3 MiB"; at most 15 characters and a NUL. */
void human_size(char *buf, size_t len, double bytes)
{
	static const char * const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB",
	};
	size_t i = 0;

	while (bytes >= 1024 && i + 1 < ARRAY_SIZE(units)) {
		bytes /= 1024;
		i++;
	}
	if (i)
		snprintf(buf, len, "%.1f %s", bytes, units[i]);
	else
		snprintf(buf, len, "%.0f B", bytes);
}

static int terminal_width(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) || !ws.ws_col)
		return 80;
	return ws.ws_col;
}

/* Draw the bar on stderr, which is a terminal, at most ten times a second. */
void progress_show(__u64 done, __u64 total, double since)
{
	static double last;
	double now = seconds_now();
	int width = terminal_width() - 40;
	char size[16], speed[16];
	double part;
	char bar[64];
	int fill;

	if (now - last < 0.1 || now <= since)
		return;
	last = now;

	part = total ? (double)done / (double)total : 0;
	if (part > 1)
		part = 1;
	if (width > (int)sizeof(bar) - 1)
		width = sizeof(bar) - 1;
	if (width < 0)
		width = 0;
	fill = (int)(part * width);
	memset(bar, '#', (size_t)fill);
	memset(bar + fill, '.', (size_t)(width - fill));

	human_size(size, sizeof(size), (double)done);
	human_size(speed, sizeof(speed), (double)done / (now - since));
	fprintf(stderr, "\r\033[K%3.0f %% [%.*s] %10s %10s/s", 100 * part,
		width, bar, size, speed);
	fflush(stderr);
}

void progress_clear(void)
{
	fputs("\r\033[K", stderr);
	fflush(stderr);
}

static bool noted;

/* One line on stderr, if that is a terminal, at most ten times a second. */
void progress_note(const char *fmt, ...)
{
	static double last;
	double now = seconds_now();
	va_list ap;

	if (now - last < 0.1 || !isatty(STDERR_FILENO))
		return;
	last = now;
	noted = true;
	fputs("\r\033[K", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fflush(stderr);
}

void progress_clear_note(void)
{
	if (noted)
		progress_clear();
	noted = false;
}
