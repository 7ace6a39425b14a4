// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Where a status index lives: index -> (word, bit)
/// @notice A status list has 131,072 entries, 256 to a storage word: `word = index >> 8`, `bit = index & 0xff`, least
/// significant bit first (design section 3). The W3C bitstring counts the other way; anchor/status.py converts.
library StatusWords {
    /// @notice Entries of one status list. W3C Bitstring Status List asks for at least this many, for herd privacy.
    uint256 internal constant LIST_SIZE = 131_072;

    /// @notice Storage words of one status list, and so the most that one call can change.
    uint256 internal constant WORDS_PER_LIST = LIST_SIZE / 256;

    /// @notice Thrown when a status index lies outside the list.
    /// @param index The index asked for.
    error StatusIndexOutOfRange(uint256 index);

    /// @notice Word and single-bit mask of a status index.
    /// @param index Position in the list, below `LIST_SIZE`.
    /// @return word Storage word that holds the entry.
    /// @return mask The entry's bit within that word.
    function locate(uint256 index) internal pure returns (uint16 word, uint256 mask) {
        if (index >= LIST_SIZE) revert StatusIndexOutOfRange(index);
        // The word is below WORDS_PER_LIST, hence fits.
        // forge-lint: disable-next-line(unsafe-typecast)
        word = uint16(index >> 8);
        // forge-lint: disable-next-line(incorrect-shift)
        mask = 1 << (index & 0xff);
    }
}
