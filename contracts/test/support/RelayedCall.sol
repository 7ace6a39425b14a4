// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry} from "../../src/interfaces/ICredentialRegistry.sol";
import {TypedMessages} from "./TypedMessages.sol";

enum Relay {
    ANCHOR,
    REVOKE,
    SUSPEND,
    REINSTATE,
    REVOKE_BATCH
}

/// @title What a key signs for somebody else to send: the members of all five calls, of which each has its own
struct RelayedCall {
    Relay relay;
    address key;
    uint32 issuer;
    uint32 list;
    uint16[] words;
    uint256[] masks;
    bytes32 root;
    uint32 size;
    uint8 reason;
    uint256 nonce;
    uint40 deadline;
}

/// @title The typed data of relayed calls, written out once more from the interface and EIP-712, and how to send them
library RelayedCalls {
    function digest(RelayedCall memory call, uint256 chainId, address registry) internal pure returns (bytes32) {
        return TypedMessages.digest(keccak256(_content(call)), chainId, registry);
    }

    function sign(RelayedCall memory call, uint256 privateKey, uint256 chainId, address registry)
        internal
        pure
        returns (bytes memory)
    {
        return TypedMessages.sign(digest(call, chainId, registry), privateKey);
    }

    /// @dev The interface's line on each, with the members of `Revoke` for (…).
    function typeOf(Relay relay) internal pure returns (string memory) {
        if (relay == Relay.ANCHOR) {
            return "Anchor(address key,uint32 issuer,bytes32 root,uint32 size,uint40 deadline)";
        }
        if (relay == Relay.REVOKE_BATCH) {
            return "RevokeBatch(address key,uint32 issuer,bytes32 root,uint8 reason,uint256 nonce,uint40 deadline)";
        }
        string memory name = relay == Relay.REVOKE ? "Revoke" : relay == Relay.SUSPEND ? "Suspend" : "Reinstate";
        return string.concat(
            name,
            "(address key,uint32 issuer,uint32 list,uint16[] words,uint256[] masks,uint8 reason,",
            "uint256 nonce,uint40 deadline)"
        );
    }

    function send(RelayedCall memory call, ICredentialRegistry registry, bytes memory signature) internal {
        if (call.relay == Relay.ANCHOR) {
            registry.anchorBySig(call.issuer, call.root, call.size, call.key, call.deadline, signature);
        } else if (call.relay == Relay.REVOKE_BATCH) {
            registry.revokeBatchBySig(
                call.issuer, call.root, call.reason, call.key, call.nonce, call.deadline, signature
            );
        } else {
            _sendStatus(call, registry, signature);
        }
    }

    function _sendStatus(RelayedCall memory call, ICredentialRegistry registry, bytes memory signature) private {
        function(uint32, uint32, uint16[] memory, uint256[] memory, uint8, address, uint256, uint40, bytes memory)
            external target = registry.revokeBySig;
        if (call.relay == Relay.SUSPEND) target = registry.suspendBySig;
        if (call.relay == Relay.REINSTATE) target = registry.reinstateBySig;
        target(
            call.issuer, call.list, call.words, call.masks, call.reason, call.key, call.nonce, call.deadline, signature
        );
    }

    /// @dev EIP-712's `typeHash ‖ encodeData`: each member as 32 bytes, an array by the hash of its members.
    function _content(RelayedCall memory call) private pure returns (bytes memory content) {
        content = bytes.concat(keccak256(bytes(typeOf(call.relay))), _word(uint160(call.key)), _word(call.issuer));
        if (call.relay == Relay.ANCHOR) {
            return bytes.concat(content, call.root, _word(call.size), _word(call.deadline));
        }
        if (call.relay == Relay.REVOKE_BATCH) {
            content = bytes.concat(content, call.root);
        } else {
            content = bytes.concat(content, _word(call.list), _hash(call.words), _hash(call.masks));
        }
        return bytes.concat(content, _word(call.reason), _word(call.nonce), _word(call.deadline));
    }

    function _hash(uint16[] memory members) private pure returns (bytes32) {
        bytes memory content;
        for (uint256 i = 0; i < members.length; ++i) {
            content = bytes.concat(content, _word(members[i]));
        }
        return keccak256(content);
    }

    function _hash(uint256[] memory members) private pure returns (bytes32) {
        bytes memory content;
        for (uint256 i = 0; i < members.length; ++i) {
            content = bytes.concat(content, _word(members[i]));
        }
        return keccak256(content);
    }

    function _word(uint256 value) private pure returns (bytes32) {
        return bytes32(value);
    }
}
