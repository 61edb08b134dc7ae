// SPDX-License-Identifier: MIT
#include <dlfcn.h>

#include "next.h"
#include "shim.h"

struct shim_next shim_next;

/**
 * shim_next_init() - find the functions that ours stand before
 *
 * All at once: later it might be from a signal handler or after vfork(), where
 * looking for symbols is not safe.
 */
void shim_next_init(void)
{
#define FIND(name) \
	(shim_next.name = (__typeof__(shim_next.name))dlsym(RTLD_NEXT, #name))
	FIND(sigaction);
	FIND(signal);
	FIND(sysv_signal);
	FIND(sigset);
	FIND(sigignore);
	FIND(sigprocmask);
	FIND(pthread_sigmask);
	FIND(pthread_attr_setsigmask_np);
	FIND(sigblock);
	FIND(sigsetmask);
	FIND(sighold);
	FIND(sigpause);
	FIND(sigsuspend);
	FIND(pselect);
	FIND(ppoll);
	FIND(__ppoll_chk);
	FIND(epoll_pwait);
	FIND(epoll_pwait2);
	FIND(timer_create);
	FIND(execve);
	FIND(execvpe);
	FIND(fexecve);
	FIND(execveat);
	FIND(posix_spawn);
	FIND(posix_spawnp);
	FIND(system);
	FIND(popen);
}
