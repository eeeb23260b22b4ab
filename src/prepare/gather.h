/* The images of a directory, by series, before anybody says what they are. */
#ifndef RS_PREPARE_GATHER_H
#define RS_PREPARE_GATHER_H

#include "facts.h"
#include "prepare.h"

#define IMAGES_MAX ((size_t)1 << 20)
#define DESCRIPTION_MAX 64

struct gathered_series {
	const char *uid, *description, *frame_of_reference, *modality;
	int64_t number;
	size_t first, count; /* of the images, once they are sorted */
};
struct gathered {
	struct rs_arena *arena; /* borrowed */
	struct gathered_series *series;
	struct image_facts *images; /* of one series after the other, by path and frame */
	size_t series_count, image_count, series_room, image_room, files, passed_over;
	char study[65], patient[65]; /* of the first image */
	struct rs_buffer *complaints;
};
enum rs_code gather(const struct rs_world *world, const char *directory, struct gathered *out,
                    struct rs_error *err);
void gathered_finish(struct gathered *gathered);              /* accepts zeroed memory */
char *arena_text(struct rs_arena *arena, struct rs_str text); /* NULL without memory */

/* The scans of one series, their volumes in the arena, not yet recognised: one, or one for each of the parts that lie side by
 * side in it (weighted images and their ADC; water and fat). `flags` are what its images have, b_source where one has a
 * b-value. */
typedef enum rs_code take_scan(void *context, const struct gathered_series *series, unsigned flags,
                               const char *b_source, const struct rs_scan *scan, struct rs_error *err);
enum rs_code scans_of_series(const struct gathered *gathered, size_t series, take_scan *take, void *context,
                             struct rs_error *err);

/* recognise.c: sets kind, why, note, rank. flags: what the images have. */
enum rs_code recognise(struct rs_arena *arena, const struct gathered_series *series, unsigned flags,
                       const char *b_source, struct rs_scan *scan, struct rs_error *err);
/* join.c: series of one kind that are one scan; the best of each kind is chosen. */
enum rs_code join_scans(struct rs_scans *scans, struct rs_error *err);

#endif
