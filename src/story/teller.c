#include "teller.h"

#include <stdarg.h>
#include <string.h>

#include "base/base_threads.h"
#include "plot/plot.h"

#define AT_ONCE_MAX 16

static const char *keep(struct teller *teller, char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	char *kept = size ? rs_arena_allocate(&teller->arena, size) : NULL;
	if (kept)
		memcpy(kept, text, size);
	rs_free(text);
	return kept ? kept : "";
}

static char *text_of(const char *format, va_list values)
{
	char text[2048];
	vsnprintf(text, sizeof text, format, values);
	return rs_str_duplicate(rs_str_from(text));
}

const char *story_path(struct teller *teller, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	char *name RS_CLEANUP(rs_free_pointer) = text_of(format, values);
	va_end(values);
	return name ? keep(teller, rs_path_join(teller->story->directory, name)) : "";
}

const char *story_words(struct teller *teller, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	char *text = text_of(format, values);
	va_end(values);
	return keep(teller, text);
}

const char *story_patient(struct teller *teller, size_t number)
{
	return story_words(teller, "SIM-%04zu", number);
}

double story_seconds(const struct teller *teller, uint64_t began_ns)
{
	return (double)(teller->world->clock->monotonic_ns(teller->world->clock) - began_ns) / 1e9;
}

void story_chapter(struct teller *teller, const char *title)
{
	fprintf(teller->story->out, "\n%u. %s  (%.0f s)\n", ++teller->chapter, title,
	        story_seconds(teller, teller->began_ns));
	rs_plot_write(&teller->page, "<h2 id=\"chapter-%Z\">%E</h2>\n", (size_t)teller->chapter, title);
}

void story_say(struct teller *teller, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	char *text RS_CLEANUP(rs_free_pointer) = text_of(format, values);
	va_end(values);
	fprintf(teller->story->out, "   %s\n", text ? text : "");
	rs_plot_write(&teller->page, "<p>%E</p>\n", text ? text : "");
}

void story_show(struct teller *teller, const char *line)
{
	fprintf(teller->story->out, "   $ %s\n", line);
	fflush(teller->story->out);
	rs_plot_write(&teller->page, "<p><code>%E</code></p>\n", line);
}

enum rs_code story_run(struct teller *teller, int status, const char *const *arguments, struct rs_buffer *out,
                       struct rs_error *err)
{
	struct child child RS_CLEANUP(child_finish) = {.pid = 0};
	RS_TRY(child_start(NULL, arguments, &child, err));
	story_show(teller, child.line);
	RS_TRY(child_end(&child, status, false, err));
	if (!out)
		return RS_OK;
	if (status != 0) /* what it complained of comes before what it printed */
		rs_buffer_append_bytes(&child.reason, rs_buffer_bytes(&child.text));
	*out = status == 0 ? child.text : child.reason;
	*(status == 0 ? &child.text : &child.reason) = (struct rs_buffer){0};
	return RS_OK;
}

const char *const *story_arguments(struct teller *teller, const char *const *arguments, struct rs_error *err)
{
	size_t count = 0;
	while (arguments[count])
		count++;
	const char **kept = rs_arena_allocate_array(&teller->arena, count + 1, sizeof *kept);
	if (kept)
		memcpy(kept, arguments, (count + 1) * sizeof *kept);
	else
		rs_error_memory(err, (count + 1) * sizeof *kept, "a command");
	return kept;
}

static enum rs_code start_next(struct teller *teller, size_t number, arguments_of *arguments,
                               struct child *child, struct rs_error *err)
{
	const char *const *words = arguments(teller, number, err);
	if (!words)
		return err ? err->code : RS_NO_MEMORY;
	RS_TRY(child_start(NULL, words, child, err));
	if (number == 1) {
		story_show(teller, child->line);
		story_say(teller, "… and so for each of the others.");
	}
	return RS_OK;
}

enum rs_code story_run_for_each(struct teller *teller, size_t count, size_t at_once, arguments_of *arguments,
                                size_t *out_partly, struct rs_error *err)
{
	struct child children[AT_ONCE_MAX] = {{.pid = 0}};
	size_t running = at_once ? at_once : rs_processors();
	enum rs_code code = RS_OK;
	running = running < AT_ONCE_MAX ? running : AT_ONCE_MAX;
	for (size_t i = 0; i < count + running && code == RS_OK; i++) {
		struct child *child = &children[i % running];
		if (i >= running && child->line) {
			code = child_end(child, 0, out_partly != NULL, err);
			if (out_partly)
				*out_partly += child->status == 1;
			child_finish(child);
		}
		if (code == RS_OK && i < count)
			code = start_next(teller, i + 1, arguments, child, err);
	}
	for (size_t i = 0; i < running; i++)
		child_finish(&children[i]);
	return code;
}

enum rs_code story_write(struct teller *teller, const char *path, const char *text, struct rs_error *err)
{
	return rs_file_replace(teller->world, path, rs_bytes_of_str(rs_str_from(text)), 0644, err);
}
