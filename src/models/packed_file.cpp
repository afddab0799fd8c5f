// See models/packed_file.h.
#include "models/packed_file.h"

#include <cstring>
#include <utility>

#include "base/check.h"

namespace ink {
namespace {

constexpr uint64_t kPage = 4096;
// Changes whenever a panel's layout or the order of the matrices does.
constexpr char kMagic[16] = "inkstone-pack-2";

// The first page of the file.
struct PackedHeader {
  char magic[sizeof kMagic];
  uint64_t byte_order;  // 1 where it was written
  uint64_t bytes;       // of the whole file
  char key[64];
};

uint64_t up_to_page(uint64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

PackedHeader header_for(const PackedPlace& place, uint64_t bytes) {
  PackedHeader header = {};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.byte_order = 1;
  header.bytes = kPage + bytes;
  INK_CHECK(place.key.size() <= sizeof header.key, "a key of at most 64 digits");
  std::memcpy(header.key, place.key.data(), place.key.size());
  return header;
}

}  // namespace

uint64_t packed_file_bytes(WeightClass weight_class, int64_t rows, int64_t cols) {
  const PackedMatrix matrix = PackedMatrix::of(weight_class, rows, cols);
  return up_to_page(matrix.scales_at() + matrix.scales_bytes());
}

std::optional<PackedFile> PackedFile::open(const PackedPlace& place, uint64_t bytes) {
  auto file = MappedFile::open(place.path);
  if (!file.ok() || (*file)->bytes().size() != kPage + bytes) return std::nullopt;
  const PackedHeader wanted = header_for(place, bytes);
  if (std::memcmp((*file)->bytes().data(), &wanted, sizeof wanted) != 0) return std::nullopt;
  PackedFile packed(std::move(*file));
  packed.place_ = kPage;
  return packed;
}

PackedMatrix PackedFile::next(WeightClass weight_class, int64_t rows, int64_t cols) {
  PackedMatrix matrix = PackedMatrix::of(weight_class, rows, cols);
  matrix.panels = bytes().data() + place_;
  matrix.scales = matrix.panels + matrix.scales_at();
  matrix.memory = memory_;
  place_ += packed_file_bytes(weight_class, rows, cols);
  INK_CHECK(place_ <= bytes().size(), "the sizes of all matrices were added up before");
  return matrix;
}

Result<PackedFileWriter> PackedFileWriter::create(const PackedPlace& place, uint64_t bytes) {
  auto output = CheckpointOutput::create(place.path);
  if (!output.ok()) return output.error();
  PackedFileWriter writer(std::move(*output));
  const PackedHeader header = header_for(place, bytes);
  if (auto written = writer.output_.write(std::as_bytes(std::span(&header, 1))); !written.ok())
    return written.error();
  if (auto written = writer.output_.write_zeros(kPage - sizeof header); !written.ok()) return written.error();
  return writer;
}

Status PackedFileWriter::add(const PackedMatrix& matrix) {
  const uint64_t end = output_.written() + packed_file_bytes(matrix.weight_class, matrix.rows, matrix.cols);
  const uint64_t gap = matrix.scales_at() - matrix.panels_bytes();
  if (auto written = output_.write({matrix.panels, matrix.panels_bytes()}); !written.ok()) return written;
  if (auto written = output_.write_zeros(gap); !written.ok()) return written;
  if (auto written = output_.write({matrix.scales, matrix.scales_bytes()}); !written.ok()) return written;
  return output_.write_zeros(end - output_.written());
}

Status PackedFileWriter::commit() { return output_.commit(); }

}  // namespace ink
