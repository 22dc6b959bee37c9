/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange_oracle.h - what must hold of the bytes that both sides of numbered exchanges got.
 *
 * The n-th request of a client bears "[n]", four digits, in its target, and so does what an
 * upstream answers to it. Nothing else bears such a number.
 */
#ifndef TESTS_SUPPORT_EXCHANGE_ORACLE_H
#define TESTS_SUPPORT_EXCHANGE_ORACLE_H

#include "tests/support/fake_transport.h"

/* Stops the process unless the n-th answer (interim ones aside) bears no other number than n, and
 * there are not more answers than requests, or one more: rubbish is answered too. */
void exchange_oracle_check_answers(const struct fake_peer *client, unsigned requests);
/* Stops the process unless what an upstream got are whole requests one after the other, the last
 * one perhaps cut, and none of them within the body of another. True when the last one is whole.
 */
bool exchange_oracle_check_requests(const struct fake_peer *upstream);

#endif
