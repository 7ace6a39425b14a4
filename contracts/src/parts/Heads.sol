// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title Hash chains over events
/// @notice Knows how a head starts and grows, and keeps the registry-wide one. Each issuer's head is in its record.
/// @dev First in the order of inheritance: its constructor runs before that of the roles, so that a role granted while
/// deploying finds the registry-wide head in place.
abstract contract Heads {
    /* CONSTANTS */

    /// @dev What a head starts with, so that no head can be taken for one of another kind, version or use.
    string private constant _ISSUER_HEAD_TAG = "credanchor/head/v1";
    string private constant _REGISTRY_HEAD_TAG = "credanchor/registry-head/v1";

    /* STORAGE */

    bytes32 private _registryHead;

    /* CONSTRUCTOR */

    constructor() {
        _registryHead = keccak256(abi.encode(_REGISTRY_HEAD_TAG, block.chainid, address(this)));
    }

    /* INTERNAL */

    /// @dev Head of an issuer before its first event.
    function _firstHead(uint32 issuer) internal view returns (bytes32) {
        return keccak256(abi.encode(_ISSUER_HEAD_TAG, block.chainid, address(this), issuer));
    }

    /// @dev A head after one more event: `keccak256(abi.encode(head, eventHash))`, where `eventHash` is
    /// `keccak256(abi.encode(topic0, parameters...))`.
    function _extended(bytes32 head, bytes32 eventHash) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(head, eventHash);
    }

    /// @dev Adds an event to the registry-wide head and returns the new one, for the log.
    function _extendRegistryHead(bytes32 eventHash) internal returns (bytes32 head) {
        head = _extended(_registryHead, eventHash);
        _registryHead = head;
    }

    function _currentRegistryHead() internal view returns (bytes32) {
        return _registryHead;
    }
}
