// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "../Vm.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @title Status calls of one issuer's first STATUS key, on one list
abstract contract StatusTest is RegistryTest {
    uint32 internal constant LIST = 4;
    uint8 internal constant REASON = 5;

    function _revoke(uint16[] memory words, uint256[] memory masks) internal {
        _act(0, words, masks);
    }

    function _suspend(uint16[] memory words, uint256[] memory masks) internal {
        _act(1, words, masks);
    }

    function _reinstate(uint16[] memory words, uint256[] memory masks) internal {
        _act(2, words, masks);
    }

    function _act(uint256 action, uint16[] memory words, uint256[] memory masks) internal {
        vm.prank(statusKey);
        if (action == 0) registry.revoke(ISSUER, LIST, words, masks, REASON);
        else if (action == 1) registry.suspend(ISSUER, LIST, words, masks, REASON);
        else registry.reinstate(ISSUER, LIST, words, masks, REASON);
    }

    function _expectedHead(string memory name, uint16 epoch, uint16[] memory words, uint256[] memory masks)
        internal
        view
        returns (bytes32)
    {
        bytes memory signature =
            bytes.concat(bytes(name), "(uint32,uint32,uint16,uint16[],uint256[],uint8,address,uint40,bytes32)");
        bytes32 eventHash =
            keccak256(abi.encode(keccak256(signature), ISSUER, LIST, epoch, words, masks, REASON, statusKey, START));
        return keccak256(abi.encode(_headOf(ISSUER), eventHash));
    }

    function _allWords(uint256 count) internal pure returns (uint16[] memory words, uint256[] memory masks) {
        words = new uint16[](count);
        masks = new uint256[](count);
        for (uint16 i = 0; i < count; ++i) {
            words[i] = i;
            masks[i] = type(uint256).max;
        }
    }
}
