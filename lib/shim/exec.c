// SPDX-License-Identifier: MIT
/*
 * The filter goes along into every program that is executed; so must the shim,
 * or the first io_uring call there is the last. Programs like to clean the
 * environment of what they start: the functions of the exec family add what is
 * missing. And where the shim cannot get in, a line says so before it
 * happens. Such a program runs all the same: most never use io_uring.
 *
 * All of this may run between vfork() and exec: system calls and the stack only.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "../core/session_env.h"
#include "filter.h"
#include "next.h"
#include "shim.h"
#include "target.h"

#define PRELOAD		"LD_PRELOAD="
#define MARK		SHIM_ENV "="
#define SESSION		ARING_SESSION_ENV "="

/* Path of this library, as in LD_PRELOAD; empty if it came in otherwise. */
static char shim_path[PATH_MAX];
static bool quiet;
/* "ARING_SESSION=..." as it is in the environment; empty if there is no session. */
static char session[sizeof(SESSION) + 16];

/* ---- the environment ------------------------------------------------------- */

static const char *find_variable(char *const *envp, const char *prefix)
{
	size_t len = strlen(prefix);

	for (; envp && *envp; envp++)
		if (!strncmp(*envp, prefix, len))
			return *envp + len;
	return NULL;
}

static size_t count(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

/* The loader separates them by either. */
static const char *next_element(const char **list, size_t *len)
{
	const char *element;

	*list += strspn(*list, ": ");
	element = *list;
	*len = strcspn(element, ": ");
	*list += *len;
	return *len ? element : NULL;
}

/**
 * shim_exec_init() - find out where this library is
 * @envp: environment that the program was started with
 */
void shim_exec_init(char *const *envp)
{
	const char *list = find_variable(envp, PRELOAD);
	const char *mark = find_variable(envp, MARK);
	const char *id = find_variable(envp, SESSION);
	size_t file_len = sizeof(SHIM_FILE) - 1;
	const char *element;
	size_t len;

	quiet = mark && !strcmp(mark, "quiet");
	if (id && strlen(id) < sizeof(session) - sizeof(SESSION) + 1)
		stpcpy(stpcpy(session, SESSION), id);
	while (list && (element = next_element(&list, &len))) {
		if (len < file_len || len >= sizeof(shim_path) ||
		    strncmp(element + len - file_len, SHIM_FILE, file_len))
			continue;
		memcpy(shim_path, element, len);
		shim_path[len] = 0;
		return;
	}
}

/**
 * shim_session() - the session that rings join
 *
 * Return: its id, or 0.
 */
uint64_t shim_session(void)
{
	return *session ? aring_session_id(session + sizeof(SESSION) - 1) : 0;
}

static bool lacks_session(char *const *envp)
{
	return *session && !find_variable(envp, SESSION);
}

static bool has_shim(char *const *envp)
{
	const char *list = find_variable(envp, PRELOAD);
	size_t shim_len = strlen(shim_path), len;
	const char *element;

	if (!shim_len)
		return true;
	while (list && (element = next_element(&list, &len)))
		if (len == shim_len && !memcmp(element, shim_path, len))
			return true;
	return false;
}

/* Bytes that fill_environment() needs, 0 if nothing is missing. */
static size_t environment_size(char *const *envp)
{
	const char *theirs = find_variable(envp, PRELOAD);

	if (has_shim(envp) && find_variable(envp, MARK) && !lacks_session(envp))
		return 0;
	return (count(envp) + 4) * sizeof(char *) + sizeof(PRELOAD) +
	       strlen(shim_path) + 1 + (theirs ? strlen(theirs) : 0);
}

static char *const *fill_environment(char *const *envp, void *room)
{
	static char mark[] = MARK "on", mark_quiet[] = MARK "quiet";
	const char *theirs = find_variable(envp, PRELOAD);
	char **env = room, **out = env;
	char *text;
	size_t i;

	if (!room)
		return envp;
	for (i = 0; envp && envp[i]; i++)
		if (strncmp(envp[i], MARK, sizeof(MARK) - 1) &&
		    (strncmp(envp[i], PRELOAD, sizeof(PRELOAD) - 1) ||
		     has_shim(envp)))
			*out++ = envp[i];
	*out++ = quiet ? mark_quiet : mark;
	if (lacks_session(envp))
		*out++ = session;
	if (!has_shim(envp)) {
		text = (char *)(env + count(envp) + 4);
		*out++ = text;
		text = stpcpy(stpcpy(text, PRELOAD), shim_path);
		if (theirs && *theirs)
			stpcpy(stpcpy(text, ":"), theirs);
	}
	*out = NULL;
	return env;
}

/* In the caller's frame, since it has to last until the exec. */
#define WITH_SHIM(envp) ({						\
	size_t with_size = environment_size(envp);			\
	fill_environment(envp, with_size ? __builtin_alloca(with_size) : NULL);	\
})

/* ---- what it cannot get into ----------------------------------------------- */

static void tell(const struct shim_target *t)
{
	char text[sizeof(t->what) + 256];
	char *p = text;

	if (quiet)
		return;
	p = stpcpy(p, "aring run: ");
	p = stpcpy(p, t->what);
	p = stpcpy(p, " ");
	p = stpcpy(p, t->why);
	p = stpcpy(p, ", so the shim cannot get into it: its first io_uring call, ");
	p = stpcpy(p, "if any, kills it; --quiet says nothing of this\n");
	sys3(SYS_write, 2, text, p - text);
}

static void check(const char *path)
{
	struct shim_target t;

	if (path && !shim_target_ok(path, &t))
		tell(&t);
}

static void check_in_path(const char *file)
{
	char path[PATH_MAX];

	if (file && !shim_find_program(file, getenv("PATH"), path,
				       sizeof(path)))
		check(path);
}

static void check_fd(int fd)
{
	struct shim_target t;

	if (!shim_target_fd_ok(fd, &t))
		tell(&t);
}

static void check_at(int dir, const char *path, int flags)
{
	if (path && *path && (*path == '/' || dir == AT_FDCWD))
		check(path);
	else if (path && !*path && flags & AT_EMPTY_PATH)
		check_fd(dir);
}

/* ---- the family ------------------------------------------------------------ */

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	check(path);
	return shim_next.execve(path, argv, WITH_SHIM(envp));
}

EXPORT int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	check_in_path(file);
	return shim_next.execvpe(file, argv, WITH_SHIM(envp));
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	check_fd(fd);
	return shim_next.fexecve(fd, argv, WITH_SHIM(envp));
}

EXPORT int execveat(int dir, const char *path, char *const argv[],
		    char *const envp[], int flags)
{
	check_at(dir, path, flags);
	return shim_next.execveat(dir, path, argv, WITH_SHIM(envp), flags);
}

/* The arguments as an array, in the caller's frame; envp after them, if any. */
#define COLLECT(argv, first, ap)					\
	do {								\
		size_t n_ = 1, i_;					\
									\
		va_start(ap, first);					\
		while (va_arg(ap, char *))				\
			n_++;						\
		va_end(ap);						\
		(argv) = __builtin_alloca((n_ + 1) * sizeof(char *));		\
		(argv)[0] = (char *)(first);				\
		va_start(ap, first);					\
		for (i_ = 1; i_ <= n_; i_++)				\
			(argv)[i_] = va_arg(ap, char *);		\
	} while (0)

EXPORT int execl(const char *path, const char *arg, ...)
{
	char **argv;
	va_list ap;

	COLLECT(argv, arg, ap);
	va_end(ap);
	return execve(path, argv, environ);
}

EXPORT int execlp(const char *file, const char *arg, ...)
{
	char **argv;
	va_list ap;

	COLLECT(argv, arg, ap);
	va_end(ap);
	return execvpe(file, argv, environ);
}

EXPORT int execle(const char *path, const char *arg, ...)
{
	char *const *envp;
	char **argv;
	va_list ap;

	COLLECT(argv, arg, ap);
	envp = va_arg(ap, char *const *);
	va_end(ap);
	return execve(path, argv, envp);
}

EXPORT int posix_spawn(pid_t *pid, const char *path,
		       const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attr, char *const argv[],
		       char *const envp[])
{
	check(path);
	return shim_next.posix_spawn(pid, path, actions, attr, argv,
				     WITH_SHIM(envp));
}

EXPORT int posix_spawnp(pid_t *pid, const char *file,
			const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attr, char *const argv[],
			char *const envp[])
{
	check_in_path(file);
	return shim_next.posix_spawnp(pid, file, actions, attr, argv,
				      WITH_SHIM(envp));
}

/* These two execute a shell without asking anybody, with this environment. */
static void mend_environ(void)
{
	char *const *env = WITH_SHIM(environ);
	const char *preload = find_variable(env, PRELOAD);

	if (env == environ)
		return;
	if (preload)
		setenv("LD_PRELOAD", preload, 1);
	setenv(SHIM_ENV, quiet ? "quiet" : "on", 1);
	if (*session)
		setenv(ARING_SESSION_ENV, session + sizeof(SESSION) - 1, 0);
}

EXPORT int system(const char *command)
{
	mend_environ();
	return shim_next.system(command);
}

EXPORT FILE *popen(const char *command, const char *mode)
{
	mend_environ();
	return shim_next.popen(command, mode);
}

/**
 * shim_raw_execve() - execve(2) by way of syscall(2)
 * @arg: its arguments
 *
 * Return: as the system call.
 */
long shim_raw_execve(const long *arg)
{
	check((const char *)arg[0]);
	return sys3(SYS_execve, arg[0], arg[1],
		    WITH_SHIM((char *const *)arg[2]));
}

/**
 * shim_raw_execveat() - execveat(2) by way of syscall(2)
 * @arg: its arguments
 *
 * Return: as the system call.
 */
long shim_raw_execveat(const long *arg)
{
	check_at((int)arg[0], (const char *)arg[1], (int)arg[4]);
	return sys5(SYS_execveat, arg[0], arg[1], arg[2],
		    WITH_SHIM((char *const *)arg[3]), arg[4]);
}
