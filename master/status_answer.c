/* SPDX-License-Identifier: BSD-2-Clause */
/* status_answer.c - from path to content, and a head before it. */
#include "master/status_answer.h"

#include "master/status_json.h"
#include "master/status_metrics.h"
#include "master/status_request.h"
#include "master/status_snapshot.h"
#include "shared/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define PLAIN_TYPE "text/plain; charset=utf-8"

struct content {
	unsigned status;
	const char *type;
	struct status_answer body;
};

static const char *reason_of(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} rows[] = {
	        {200, "OK"},
	        {400, "Bad Request"},
	        {404, "Not Found"},
	        {405, "Method Not Allowed"},
	        {431, "Request Header Fields Too Large"},
	        {503, "Service Unavailable"},
	        {505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return "Unknown";
}

typedef unsigned write_fn(FILE *file, const struct status_snapshot *snapshot);

static unsigned write_metrics(FILE *file, const struct status_snapshot *snapshot)
{
	status_metrics_write(file, snapshot);
	return 200;
}

static unsigned write_status(FILE *file, const struct status_snapshot *snapshot)
{
	status_json_write(file, snapshot);
	return 200;
}

static unsigned write_health(FILE *file, const struct status_snapshot *snapshot)
{
	fputs(snapshot->healthy ? "ok\n" : "no worker serves\n", file);
	return snapshot->healthy ? 200 : 503;
}

static const struct page {
	const char *path, *type;
	write_fn *write;
} pages[] = {
        {"/metrics", STATUS_METRICS_TYPE, write_metrics},
        {"/status", STATUS_JSON_TYPE, write_status},
        {"/healthz", PLAIN_TYPE, write_health},
};

static const struct page *page_at(struct slice path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (slice_equal(path, slice_of(pages[i].path)))
			return &pages[i];
	return NULL;
}

static void make_page(
        struct content *content, const struct status_view *view, const struct page *page)
{
	struct status_snapshot snapshot;
	FILE *file = open_memstream(&content->body.bytes, &content->body.length);

	CHECK(file);
	status_snapshot_take(&snapshot, view);
	content->status = page->write(file, &snapshot);
	content->type = page->type;
	status_snapshot_drop(&snapshot);
	CHECK(fclose(file) == 0);
}

static void make_refusal(struct content *content, unsigned status)
{
	FILE *file = open_memstream(&content->body.bytes, &content->body.length);

	CHECK(file);
	content->status = status;
	content->type = PLAIN_TYPE;
	fprintf(file, "%u %s\n", status, reason_of(status));
	if (status == 404)
		for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
			fprintf(file, "%s\n", pages[i].path);
	CHECK(fclose(file) == 0);
}

struct status_answer status_answer_make(
        const struct status_view *view, unsigned verdict, const struct status_request *request)
{
	const struct page *page = verdict == 200 ? page_at(request->path) : NULL;
	struct content content = {0};
	struct status_answer answer = {0};

	if (page)
		make_page(&content, view, page);
	else
		make_refusal(&content, verdict == 200 ? 404 : verdict);
	FILE *file = open_memstream(&answer.bytes, &answer.length);
	CHECK(file);
	fprintf(file,
	        "HTTP/1.1 %u %s\r\n"
	        "Content-Type: %s\r\n"
	        "Content-Length: %zu\r\n"
	        "Cache-Control: no-store\r\n"
	        "%s"
	        "Connection: close\r\n"
	        "\r\n",
	        content.status, reason_of(content.status), content.type, content.body.length,
	        content.status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (!request->without_body)
		fwrite(content.body.bytes, 1, content.body.length, file);
	CHECK(fclose(file) == 0);
	free(content.body.bytes);
	return answer;
}
