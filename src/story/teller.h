/* What the chapters share: where things lie, what is told, the page that is written on the way. */
#ifndef RS_STORY_TELLER_H
#define RS_STORY_TELLER_H

#include "base/base_world.h"
#include "child.h"
#include "story/story.h"

struct teller {
	const struct rs_story *story;
	const struct rs_world *world;
	struct rs_arena arena; /* of paths and names */
	struct rs_buffer page; /* of sections, without head and end */
	unsigned chapter;
	uint64_t began_ns;
	const char *home, *gateway;
};

/* A path below the story's directory, kept as long as the teller; an empty text when there is no memory, of which a later
 * step then speaks. */
const char *story_path(struct teller *teller, const char *format, ...) RS_PRINTF(2, 3);
const char *story_words(struct teller *teller, const char *format, ...) RS_PRINTF(2, 3); /* likewise */
/* "SIM-0007", from 1 */
const char *story_patient(struct teller *teller, size_t number);

void story_chapter(struct teller *teller, const char *title);
void story_say(struct teller *teller, const char *format, ...) RS_PRINTF(2, 3);
/* A line that may be typed again. */
void story_show(struct teller *teller, const char *line);
double story_seconds(const struct teller *teller, uint64_t began_ns);

/* Shows a command, runs it, and expects this status. out: NULL, or what it printed, of a failure its complaints before
 * that; finish it. */
enum rs_code story_run(struct teller *teller, int status, const char *const *arguments, struct rs_buffer *out,
                       struct rs_error *err);
#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
/* Those of one patient, kept in the teller's arena; NULL: err tells why there are none. */
typedef const char *const *arguments_of(struct teller *teller, size_t number, struct rs_error *err);
/* For each patient up to `count`, so many at once (0: as there are processors); the first one's line is shown.
 * out_partly: how many ended with 1, as what could not be done was left out; NULL: none may */
enum rs_code story_run_for_each(struct teller *teller, size_t count, size_t at_once, arguments_of *arguments,
                                size_t *out_partly, struct rs_error *err);
const char *const *story_arguments(struct teller *teller, const char *const *arguments, struct rs_error *err);
enum rs_code story_write(struct teller *teller, const char *path, const char *text, struct rs_error *err);

/* ---- the chapters ---- */

enum rs_code tell_of_cohort(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_node(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_arrival(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_consent(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_preparation(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_outlines(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_features(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_models(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_patient(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_refusal(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_alteration(struct teller *teller, struct rs_error *err);
enum rs_code tell_of_audit(struct teller *teller, struct rs_error *err);

/* Slices of a prepared patient with the outline of the mask, into the page. */
enum rs_code show_slices(struct teller *teller, const char *prepared, const char *mask, struct rs_error *err);
/* The figures of a report whose headings begin like this, into the page. */
enum rs_code show_figures(struct teller *teller, const char *report, const char *const *titles,
                          struct rs_error *err);
enum rs_code story_write_page(struct teller *teller, struct rs_error *err);

#endif
