/* The last chapters: a consent is withdrawn, a byte is altered, and an auditor reads who did what. */
#include <string.h>

#include "teller.h"

static const char *last_patient(struct teller *teller)
{
	return story_patient(teller, teller->story->patients + 1);
}

/* The first word of the first line that is one: 64 hexadecimal digits. */
static const char *name_within(struct teller *teller, const struct rs_buffer *text)
{
	const char *digits = "0123456789abcdef";
	for (size_t i = 0; i + 64 <= text->size; i++)
		if (strspn((const char *)text->data + i, digits) >= 64)
			return story_words(teller, "%.64s", (const char *)text->data + i);
	return "";
}

/* The first line that begins like this. */
static void tell_reason(struct teller *teller, const struct rs_buffer *reason, const char *beginning)
{
	struct rs_str line, rest = rs_buffer_str(reason);
	while (rs_str_split(&rest, '\n', &line))
		if (line.size > 0 && rs_str_starts_with(line, beginning)) {
			story_say(teller, "%.*s", (int)line.size, line.data);
			return;
		}
}

static enum rs_code retrieve(struct teller *teller, int status, const char *directory, struct rs_buffer *out,
                             struct rs_error *err)
{
	return story_run(teller, status,
	                 ARGUMENTS("retrieve", "--home", teller->home, "--subject", last_patient(teller),
	                           "--as", "researcher", "--purpose", "research", "-o",
	                           story_path(teller, "%s", directory), "--quiet"),
	                 out, err);
}

enum rs_code tell_of_refusal(struct teller *teller, struct rs_error *err)
{
	struct rs_buffer list RS_CLEANUP(rs_buffer_finish) = {0}, reason RS_CLEANUP(rs_buffer_finish) = {0};
	story_chapter(teller, "Consent is withdrawn");
	RS_TRY(retrieve(teller, 0, "permitted", NULL, err));
	story_say(teller, "The researcher has the patient's images, decrypted and compared with the ledger.");
	RS_TRY(story_run(teller, 0,
	                 ARGUMENTS("consent", "list", "--home", teller->home, "--subject",
	                           last_patient(teller), "--json"),
	                 &list, err));
	rs_buffer_append_u8(&list, 0);
	RS_TRY(story_run(
		teller, 0,
		ARGUMENTS("consent", "revoke", name_within(teller, &list), "--home", teller->home, "--quiet"),
		NULL, err));
	RS_TRY(retrieve(teller, 3, "refused", &reason, err));
	tell_reason(teller, &reason, "");
	return RS_OK;
}

/* The first name that a directory has. */
static enum rs_code take_first(void *context, struct rs_str name, enum rs_file_kind kind RS_UNUSED,
                               struct rs_error *err RS_UNUSED)
{
	struct rs_buffer *first = context;
	if (first->size == 0)
		rs_buffer_append(first, name.data, name.size);
	return RS_OK;
}

static enum rs_code first_within(struct teller *teller, const char *directory, const char **out,
                                 struct rs_error *err)
{
	struct rs_buffer name RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&name, 4096);
	RS_TRY(teller->world->files->list(teller->world->files, directory, take_first, &name, err));
	*out = story_words(teller, "%s/%.*s", directory, (int)name.size, (const char *)name.data);
	return RS_OK;
}

/* In the vault, as a disk or an intruder might; it is put back afterwards. */
static enum rs_code alter_stored(struct teller *teller, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0},
				 reason RS_CLEANUP(rs_buffer_finish) = {0};
	const char *shelf, *object;
	RS_TRY(first_within(teller, story_path(teller, "node/vault/objects"), &shelf, err));
	RS_TRY(first_within(teller, shelf, &object, err));
	RS_TRY(rs_file_read_all(teller->world, object, CHILD_OUTPUT_MAX, &content, err));
	content.data[content.size / 2] ^= 1;
	RS_TRY(rs_file_replace(teller->world, object, rs_buffer_bytes(&content), 0600, err));
	story_say(teller, "One bit of a stored object is flipped: %s.", rs_path_name(object));
	RS_TRY(story_run(teller, 1, ARGUMENTS("vault", "scrub", "--home", teller->home), &reason, err));
	tell_reason(teller, &reason, "rot ");
	content.data[content.size / 2] ^= 1;
	return rs_file_replace(teller->world, object, rs_buffer_bytes(&content), 0600, err);
}

static enum rs_code alter_copy(struct teller *teller, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0},
				 reason RS_CLEANUP(rs_buffer_finish) = {0};
	const char *patient = story_patient(teller, 1), *altered = story_path(teller, "altered.dcm");
	const char *original = story_path(teller, "cohort/%s/study/T2/IM0001.dcm", patient);
	RS_TRY(rs_file_read_all(teller->world, original, CHILD_OUTPUT_MAX, &content, err));
	content.data[content.size - 1] ^= 1;
	RS_TRY(rs_file_replace(teller->world, altered, rs_buffer_bytes(&content), 0644, err));
	RS_TRY(story_run(teller, 0, ARGUMENTS("verify", "--home", teller->home, original, "--quiet"), NULL,
	                 err));
	RS_TRY(story_run(teller, 1, ARGUMENTS("verify", "--home", teller->home, altered, "--quiet"), &reason,
	                 err));
	tell_reason(teller, &reason, "");
	return RS_OK;
}

enum rs_code tell_of_alteration(struct teller *teller, struct rs_error *err)
{
	story_chapter(teller, "A byte is altered");
	RS_TRY(alter_stored(teller, err));
	return alter_copy(teller, err);
}

enum rs_code tell_of_audit(struct teller *teller, struct rs_error *err)
{
	struct rs_buffer told RS_CLEANUP(rs_buffer_finish) = {0};
	size_t lines = 0;
	story_chapter(teller, "What the regulator sees");
	RS_TRY(story_run(teller, 0,
	                 ARGUMENTS("audit", "subject", "--subject", last_patient(teller), "--home",
	                           teller->home, "--format", "csv"),
	                 &told, err));
	for (size_t i = 0; i < told.size; i++)
		lines += told.data[i] == '\n';
	story_say(teller,
	          "%zu entries say who did what with this patient's data, on which ground; each is proved.",
	          lines > 0 ? lines - 1 : 0);
	RS_TRY(story_run(teller, 0, ARGUMENTS("fsck", "--home", teller->home, "--quiet"), NULL, err));
	story_say(teller, "Vault, ledger, index and receipts agree with each other.");
	return RS_OK;
}
