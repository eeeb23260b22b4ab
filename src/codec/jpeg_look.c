/* The header of a JPEG (ISO/IEC 10918-1, annex B), read before any library sees it. */
#include "codec/worker.h"

/* Markers without a length behind them: TEM, RST0 to RST7. */
static bool stands_alone(uint8_t marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7); }

/* SOF0 to SOF15; DHT, JPG and DAC lie among them. */
static bool is_frame(uint8_t marker)
{
	return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool jpeg_look(struct rs_bytes in, struct jpeg_look *out)
{
	size_t at = 2;
	if (in.size < 4 || in.data[0] != 0xFF || in.data[1] != 0xD8)
		return false;
	while (in.size - at >= 4) {
		const uint8_t marker = in.data[at + 1];
		if (in.data[at] != 0xFF)
			return false;
		if (marker == 0xFF || stands_alone(marker)) { /* fill bytes may stand before a marker */
			at += marker == 0xFF ? 1 : 2;
			continue;
		}
		const size_t size = rs_read_be16(in.data + at + 2);
		if (size < 2 || size > in.size - at - 2 || marker == 0xD9 || marker == 0xDA)
			return false;
		if (is_frame(marker) && size >= 8) {
			const uint8_t *p = in.data + at + 4;
			*out = (struct jpeg_look){marker, p[0], rs_read_be16(p + 1), rs_read_be16(p + 3),
			                          p[5]};
			return true;
		}
		at += 2 + size;
	}
	return false;
}
