/* SPDX-License-Identifier: BSD-2-Clause */
/* config_manual_variables.c - what each variable stands for, in a sentence. */
#include "master/config_manual_text.h"

#include "shared/check.h"

#include <stdbool.h>

const char *config_manual_variable(enum variable variable)
{
	switch (variable) {
	case VARIABLE_HOST:
		return "The host of the request, in lower case and without port; else the server's "
		       "name.";
	case VARIABLE_PROXY_HOST:
		return "The target as proxy_pass names it, with its port unless that is the usual "
		       "one.";
	case VARIABLE_REMOTE_ADDR:
		return "The client's address.";
	case VARIABLE_REMOTE_PORT:
		return "The client's port.";
	case VARIABLE_SCHEME:
		return "http, or https where the client uses TLS.";
	case VARIABLE_REQUEST_URI:
		return "Path and query as the client sent them.";
	case VARIABLE_REQUEST_METHOD:
		return "The method, such as GET.";
	case VARIABLE_URI:
		return "The path, decoded and resolved.";
	case VARIABLE_ARGS:
		return "The query, without its question mark.";
	case VARIABLE_SERVER_NAME:
		return "The first server_name of the server.";
	case VARIABLE_SERVER_PORT:
		return "The port that the client came in at.";
	case VARIABLE_PID:
		return "The worker's process id.";
	case VARIABLE_HTTP:
		return "The request's header NAME, with _ for each -.";
	case VARIABLE_PROXY_ADD_X_FORWARDED_FOR:
		return "The request's X-Forwarded-For with the client's address behind it.";
	case VARIABLE_SSL_PROTOCOL:
		return "The protocol of the client's TLS, such as TLSv1.3.";
	case VARIABLE_SSL_CIPHER:
		return "Its cipher, by OpenSSL's name.";
	case VARIABLE_SSL_SESSION_REUSED:
		return "r where the client's session was resumed, else a dot.";
	case VARIABLE_SSL_SERVER_NAME:
		return "The name that the client asked for by SNI.";
	case VARIABLE_SSL_CLIENT_VERIFY:
		return "NONE, SUCCESS, or FAILED: with the reason.";
	case VARIABLE_SSL_CLIENT_S_DN:
		return "The subject of the client's certificate.";
	case VARIABLE_SSL_CLIENT_I_DN:
		return "Its issuer.";
	case VARIABLE_SSL_CLIENT_SERIAL:
		return "Its serial number.";
	case VARIABLE_UPSTREAM_ADDR:
		return "The addresses that were tried, the last one last.";
	case VARIABLE_UPSTREAM_STATUS:
		return "The status of the upstream's answer.";
	case VARIABLE_STATUS:
		return "The status that the client gets.";
	case VARIABLE_NONE:
	case VARIABLE_COUNT:
		break;
	}
	CHECK(false);
	return "";
}
