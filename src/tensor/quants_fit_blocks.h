// Inside the searching quantizers: one encoder per format, each for a single block and the weights of its
// squared errors. Callers want tensor/quants_fit.h. The layouts are told at the decoders.
#pragma once

#include <cstdint>

namespace ink::fit {

using Encode = void (*)(const float* values, const float* weights, uint8_t* block);

// quants_fit_flat.cpp: blocks of 32 with one scale
void encode_q4_0(const float* values, const float* weights, uint8_t* block);
void encode_q4_1(const float* values, const float* weights, uint8_t* block);
void encode_q5_0(const float* values, const float* weights, uint8_t* block);
void encode_q5_1(const float* values, const float* weights, uint8_t* block);
void encode_q8_0(const float* values, const float* weights, uint8_t* block);
void encode_iq4_nl(const float* values, const float* weights, uint8_t* block);
// quants_fit_k.cpp: 256 weights with two levels of scales
void encode_q4_k(const float* values, const float* weights, uint8_t* block);
void encode_q5_k(const float* values, const float* weights, uint8_t* block);
void encode_q6_k(const float* values, const float* weights, uint8_t* block);
void encode_iq4_xs(const float* values, const float* weights, uint8_t* block);

}  // namespace ink::fit
