#include "recipe/recipe_setting.h"

#include <assert.h>
#include <string.h>

void rs_setting_put(const struct rs_setting *setting, double value, void *options)
{
	void *member = (char *)options + setting->offset;
	if (setting->kind == RS_SETTING_COUNT)
		*(uint64_t *)member = (uint64_t)value;
	else if (setting->kind == RS_SETTING_NUMBER)
		*(double *)member = value;
	else if (setting->kind == RS_SETTING_WORD)
		*(uint32_t *)member = (uint32_t)value;
}

void rs_settings_usual(const struct rs_setting *settings, void *options)
{
	for (const struct rs_setting *s = settings; s->name; s++)
		rs_setting_put(s, s->initial, options);
}

void rs_options_init(const struct rs_setting *settings, size_t size, struct rs_options *out)
{
	assert(size <= sizeof *out);
	memset(out, 0, sizeof *out);
	rs_settings_usual(settings, out);
}

void rs_options_set(const struct rs_setting *settings, const char *name, double value,
                    struct rs_options *options)
{
	const struct rs_setting *s = settings;
	while (s->name && strcmp(s->name, name) != 0)
		s++;
	assert(s->name);
	rs_setting_put(s, value, options);
}
