// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {StatusWords} from "../src/libraries/StatusWords.sol";
import {vm} from "./Vm.sol";

contract StatusWordsTest {
    function test_locate_countsFromTheLeastSignificantBit() public pure {
        _check(0, 0, 1);
        _check(1, 0, 2);
        _check(255, 0, 1 << 255);
        _check(256, 1, 1);
        _check(94_567, 369, 1 << 103);
        _check(131_071, 511, 1 << 255);
    }

    function test_fuzz_locate_isDivisionAndRemainder(uint256 index) public pure {
        index %= 131_072;
        _check(index, index / 256, 2 ** (index % 256));
    }

    function test_locate_revertsWithStatusIndexOutOfRangeJustPastTheEnd() public {
        vm.expectRevert(abi.encodeWithSelector(StatusWords.StatusIndexOutOfRange.selector, 131_072));
        this.locate(131_072);
    }

    function test_fuzz_locate_revertsWithStatusIndexOutOfRange(uint256 index) public {
        vm.assume(index >= 131_072);
        vm.expectRevert(abi.encodeWithSelector(StatusWords.StatusIndexOutOfRange.selector, index));
        this.locate(index);
    }

    function locate(uint256 index) external pure returns (uint16 word, uint256 mask) {
        return StatusWords.locate(index);
    }

    function _check(uint256 index, uint256 word, uint256 mask) private pure {
        (uint16 actualWord, uint256 actualMask) = StatusWords.locate(index);
        vm.assertEq(actualWord, word);
        vm.assertEq(actualMask, mask);
    }
}
