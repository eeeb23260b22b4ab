/* DCMTK's decoders of lossless and 12-bit JPEG, behind C. Nothing of DCMTK is used but these three classes. */
#include <cstdio>

#include <dcmtk/config/osconfig.h> /* first, as DCMTK wants it */
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>
#include <dcmtk/oflog/oflog.h>

extern "C" {
bool dcmtk_jpeg_decode(const uint8_t *in, uint32_t in_size, unsigned bits, bool is_signed, bool is_ybr,
                       uint8_t *out, uint32_t out_size, bool *out_is_rgb, char *sentence,
                       unsigned long sentence_size);
void dcmtk_prepare(void);
}

void dcmtk_prepare(void)
{
	OFLog::configure(OFLogger::OFF_LOG_LEVEL);
	/* A throw on the way loads the unwinder, whose files cannot be opened later. */
	try {
		throw 0;
	} catch (int) {
	}
}

static OFCondition decode(DJDecoder &decoder, const uint8_t *in, uint32_t in_size, bool is_signed,
                          uint8_t *out, uint32_t out_size, bool *out_is_rgb)
{
	OFCondition result = decoder.init();
	if (result.good()) /* which it reads only */
		result = decoder.decode(const_cast<uint8_t *>(in), in_size, out, out_size, is_signed);
	*out_is_rgb = result.good() && decoder.getDecompressedColorModel() == EPI_RGB;
	return result;
}

bool dcmtk_jpeg_decode(const uint8_t *in, uint32_t in_size, unsigned bits, bool is_signed, bool is_ybr,
                       uint8_t *out, uint32_t out_size, bool *out_is_rgb, char *sentence,
                       unsigned long sentence_size)
{
	try {
		const DJCodecParameter parameters(ECC_lossyYCbCr, EDC_photometricInterpretation, EUC_never,
		                                  EPC_colorByPixel, OFTrue, OFTrue);
		DJDecompressIJG8Bit eight(parameters, is_ybr);
		DJDecompressIJG12Bit twelve(parameters, is_ybr);
		DJDecompressIJG16Bit sixteen(parameters, is_ybr);
		DJDecoder &decoder = bits > 12  ? static_cast<DJDecoder &>(sixteen)
		                     : bits > 8 ? static_cast<DJDecoder &>(twelve)
		                                : static_cast<DJDecoder &>(eight);
		const OFCondition result = decode(decoder, in, in_size, is_signed, out, out_size, out_is_rgb);
		if (result.good())
			return true;
		std::snprintf(sentence, sentence_size, "%s",
		              result == EJ_Suspension ? "it is cut off" : result.text());
	} catch (...) {
		std::snprintf(sentence, sentence_size, "the decoder gave up");
	}
	return false;
}
