/* Choosing what is answered with. */
#include "accept.h"

#include <stdio.h>
#include <string.h>

#define RELATED "multipart/related"

static bool fits(const struct media *range, const struct offer *offer)
{
	char type[PARAMETER_SIZE];
	if (!media_covers(range, offer->name))
		return false;
	if (!offer->type || !media_is(range, RELATED) || !media_parameter(range, "type", type))
		return true;
	const struct media parts = {rs_str_from(type), {"", 0}};
	return media_covers(&parts, offer->type);
}

enum rs_code accept_choose(struct request *request, const struct offer *offers, size_t count,
                           struct accepted *out, struct rs_error *err)
{
	struct rs_str list = request_header(request, "Accept"), parameter;
	struct media range;
	unsigned best = 0;
	if (target_query(&request->target, "accept", &parameter))
		list = parameter;
	*out = (struct accepted){.offer = 0};
	if (list.size == 0)
		return RS_OK;
	while (media_next(&list, &range)) {
		unsigned quality = media_quality(&range);
		size_t i = 0;
		while (i < count && !fits(&range, &offers[i]))
			i++;
		if (i == count || quality <= best)
			continue;
		best = quality;
		*out = (struct accepted){.offer = i};
		bool said = media_parameter(&range, "transfer-syntax", out->syntax);
		out->is_any = said && strcmp(out->syntax, "*") == 0;
		if (!said || out->is_any)
			out->syntax[0] = '\0';
	}
	if (best > 0)
		return RS_OK;
	request->status = 406;
	return rs_error_set(
		err, RS_UNSUPPORTED, "nothing of what the client accepts can be given here: ask for %s%s%s",
		offers[0].name, offers[0].type ? "; type=" : "", offers[0].type ? offers[0].type : "");
}
