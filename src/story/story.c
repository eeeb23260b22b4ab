/* The chapters in their order. */
#include "story/story.h"

#include "teller.h"

#define ARENA_SIZE_MAX ((size_t)64 << 20)
#define PAGE_SIZE_MAX ((size_t)64 << 20)

static void teller_finish(struct teller *teller)
{
	rs_arena_finish(&teller->arena);
	rs_buffer_finish(&teller->page);
}

static enum rs_code tell_all(struct teller *teller, struct rs_error *err)
{
	RS_TRY(tell_of_cohort(teller, err));
	RS_TRY(tell_of_node(teller, err));
	RS_TRY(tell_of_arrival(teller, err));
	RS_TRY(tell_of_consent(teller, err));
	RS_TRY(tell_of_preparation(teller, err));
	RS_TRY(tell_of_outlines(teller, err));
	RS_TRY(tell_of_features(teller, err));
	RS_TRY(tell_of_models(teller, err));
	RS_TRY(tell_of_patient(teller, err));
	RS_TRY(tell_of_refusal(teller, err));
	RS_TRY(tell_of_alteration(teller, err));
	return tell_of_audit(teller, err);
}

enum rs_code rs_story_tell(const struct rs_story *story, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	struct teller teller RS_CLEANUP(teller_finish) = {
		.story = story, .world = world, .began_ns = world->clock->monotonic_ns(world->clock)};
	rs_arena_init(&teller.arena, ARENA_SIZE_MAX);
	rs_buffer_init(&teller.page, PAGE_SIZE_MAX);
	teller.home = story_path(&teller, "node");
	RS_TRY(tell_all(&teller, err));
	RS_TRY(story_write_page(&teller, err));
	fprintf(story->out, "\n   %.0f seconds in all. The page with pictures: %s/index.html\n",
	        story_seconds(&teller, teller.began_ns), story->directory);
	return RS_OK;
}
