// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, MAX_REASON, SCOPE_STATUS} from "../interfaces/ICredentialRegistry.sol";
import {StatusWords} from "../libraries/StatusWords.sol";
import {Keys} from "./Keys.sol";

/// @title Revocation and suspension, one bit per credential
/// @notice The arithmetic of OpenZeppelin's BitMaps, a whole word at a time: one storage write for up to 256 credentials.
abstract contract StatusLists is Keys {
    /* STORAGE */

    mapping(uint32 issuer => mapping(uint16 epoch => mapping(uint32 list => mapping(uint16 word => uint256 bits))))
        private _revoked;
    mapping(uint32 issuer => mapping(uint16 epoch => mapping(uint32 list => mapping(uint16 word => uint256 bits))))
        private _suspended;

    /* EXTERNAL */

    /// @inheritdoc ICredentialRegistry
    function revoke(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external
        override
    {
        _revoke(msg.sender, issuer, list, words, masks, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function suspend(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external
        override
    {
        _suspend(msg.sender, issuer, list, words, masks, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function reinstate(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external
        override
    {
        _reinstate(msg.sender, issuer, list, words, masks, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function isRevoked(uint32 issuer, uint32 list, uint256 index) external view override returns (bool revoked) {
        (revoked,) = statusOf(issuer, list, index);
    }

    /// @inheritdoc ICredentialRegistry
    function isSuspended(uint32 issuer, uint32 list, uint256 index) external view override returns (bool suspended) {
        (, suspended) = statusOf(issuer, list, index);
    }

    /// @inheritdoc ICredentialRegistry
    function statusOf(uint32 issuer, uint32 list, uint256 index)
        public
        view
        override
        returns (bool revoked, bool suspended)
    {
        (uint16 word, uint256 mask) = StatusWords.locate(index);
        uint16 epoch = _statusEpochOf(issuer);
        revoked = _revoked[issuer][epoch][list][word] & mask != 0;
        suspended = _suspended[issuer][epoch][list][word] & mask != 0;
    }

    /* INTERNAL */

    function _revoke(
        address key,
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason
    ) internal {
        uint16 epoch = _requireStatusCall(key, issuer, reason);
        uint256[] memory changed = _change(_revoked[issuer][epoch][list], list, words, masks, true);
        bytes32 head = _extendStatusHead(CredentialsRevoked.selector, issuer, list, epoch, words, changed, reason, key);
        emit CredentialsRevoked(issuer, list, epoch, words, changed, reason, key, _timestamp(), head);
    }

    function _suspend(
        address key,
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason
    ) internal {
        uint16 epoch = _requireStatusCall(key, issuer, reason);
        uint256[] memory changed = _change(_suspended[issuer][epoch][list], list, words, masks, true);
        bytes32 head =
            _extendStatusHead(CredentialsSuspended.selector, issuer, list, epoch, words, changed, reason, key);
        emit CredentialsSuspended(issuer, list, epoch, words, changed, reason, key, _timestamp(), head);
    }

    function _reinstate(
        address key,
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason
    ) internal {
        uint16 epoch = _requireStatusCall(key, issuer, reason);
        uint256[] memory changed = _change(_suspended[issuer][epoch][list], list, words, masks, false);
        bytes32 head =
            _extendStatusHead(CredentialsReinstated.selector, issuer, list, epoch, words, changed, reason, key);
        emit CredentialsReinstated(issuer, list, epoch, words, changed, reason, key, _timestamp(), head);
    }

    /* PRIVATE */

    /// @dev Checks caller and reason. Returns the one epoch the caller's key may write.
    function _requireStatusCall(address key, uint32 issuer, uint8 reason) private view returns (uint16 epoch) {
        epoch = _requireKey(key, issuer, SCOPE_STATUS).statusEpoch;
        if (reason == 0 || reason > MAX_REASON) revert InvalidReason(reason);
    }

    /// @dev Sets or clears bits, and returns those that really changed: each of the words must have one.
    function _change(
        mapping(uint16 word => uint256 bits) storage bits,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        bool toSet
    ) private returns (uint256[] memory changed) {
        changed = _newChanges(words, masks);
        uint16 previous;
        for (uint256 i = 0; i < changed.length; ++i) {
            uint16 word = words[i];
            _requireOrder(i, previous, word);
            uint256 old = bits[word];
            uint256 change = masks[i] & (toSet ? ~old : old);
            if (change == 0) revert NothingChanges(list, word);
            bits[word] = old ^ change;
            changed[i] = change;
            previous = word;
        }
    }

    function _extendStatusHead(
        bytes32 topic,
        uint32 issuer,
        uint32 list,
        uint16 epoch,
        uint16[] calldata words,
        uint256[] memory changed,
        uint8 reason,
        address actor
    ) private returns (bytes32 head) {
        return _extendHead(
            issuer, keccak256(abi.encode(topic, issuer, list, epoch, words, changed, reason, actor, _timestamp()))
        );
    }

    function _newChanges(uint16[] calldata words, uint256[] calldata masks) private pure returns (uint256[] memory) {
        if (words.length == 0 || words.length > StatusWords.WORDS_PER_LIST) {
            revert WordCountOutOfRange(words.length, StatusWords.WORDS_PER_LIST);
        }
        if (words.length != masks.length) revert WordMaskMismatch(words.length, masks.length);
        return new uint256[](words.length);
    }

    function _requireOrder(uint256 i, uint16 previous, uint16 word) private pure {
        if (word >= StatusWords.WORDS_PER_LIST) revert WordOutOfRange(word);
        if (i > 0 && word <= previous) revert WordsNotIncreasing(previous, word);
    }
}
