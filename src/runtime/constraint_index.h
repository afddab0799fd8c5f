// Finds the record that is equal to another, among records that are numbered as they are made: a hash table
// of numbers alone, with open addressing. Making a state of a walker asks it several times, and a table that
// allocates for each entry took as long as all the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ink {

class RecordIndex {
 public:
  // The number of the record for which is_same(number) holds among those that were added with this hash.
  // There is none: the record that is going to be `next` is added.
  template <typename Same>
  uint32_t find_or_add(uint64_t hash, uint32_t next, Same is_same) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    const auto tag = static_cast<uint32_t>(hash >> 32);
    const size_t mask = slots_.size() - 1;
    for (size_t i = tag & mask;; i = (i + 1) & mask) {
      Slot& slot = slots_[i];
      if (slot.number == kNone) {
        slot = {tag, next};
        ++count_;
        return next;
      }
      if (slot.tag == tag && is_same(slot.number)) return slot.number;
    }
  }
  void clear() {
    slots_.assign(kFewest, {});
    count_ = 0;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kFewest = 256;
  struct Slot {
    uint32_t tag = 0;
    uint32_t number = kNone;
  };
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    const size_t mask = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.number == kNone) continue;
      size_t i = slot.tag & mask;
      while (slots_[i].number != kNone) i = (i + 1) & mask;
      slots_[i] = slot;
    }
  }
  std::vector<Slot> slots_ = std::vector<Slot>(kFewest);
  size_t count_ = 0;
};

}  // namespace ink
