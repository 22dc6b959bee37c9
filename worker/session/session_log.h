/* SPDX-License-Identifier: BSD-2-Clause */
/* session_log.h - what the logs say of a session. */
#ifndef WORKER_SESSION_SESSION_LOG_H
#define WORKER_SESSION_SESSION_LOG_H

#include "worker/session/session.h"

/* The words of a stream's failure into the error log. */
void session_log_fault(
        const struct session *session, const struct stream *stream, enum close_reason reason);
/* The session's line in its access logs, and into the error log where a limit of ours ended it.
 * Called while the streams are still there. */
void session_log_end(const struct session *session, enum close_reason reason);

#endif
