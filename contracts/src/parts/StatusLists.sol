// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry} from "../interfaces/ICredentialRegistry.sol";
import {StatusWords} from "../libraries/StatusWords.sol";
import {Relays} from "./Relays.sol";

/// @title Revocation and suspension, one bit per credential
/// @notice The arithmetic of OpenZeppelin's BitMaps, a whole word at a time: one storage write for up to 256 credentials.
abstract contract StatusLists is Relays {
    /* TYPES */

    enum Change {
        REVOKE,
        SUSPEND,
        REINSTATE
    }

    /* CONSTANTS */

    bytes32 private constant _REVOKE_TYPEHASH = keccak256(
        "Revoke(address key,uint32 issuer,uint32 list,uint16[] words,uint256[] masks,uint8 reason,uint256 nonce,uint40 deadline)"
    );
    bytes32 private constant _SUSPEND_TYPEHASH = keccak256(
        "Suspend(address key,uint32 issuer,uint32 list,uint16[] words,uint256[] masks,uint8 reason,uint256 nonce,uint40 deadline)"
    );
    bytes32 private constant _REINSTATE_TYPEHASH = keccak256(
        "Reinstate(address key,uint32 issuer,uint32 list,uint16[] words,uint256[] masks,uint8 reason,uint256 nonce,uint40 deadline)"
    );

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
        _change(Change.REVOKE, msg.sender, issuer, list, words, masks, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function revokeBySig(
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason,
        address key,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external override {
        bytes32 structHash = _structHash(_REVOKE_TYPEHASH, key, issuer, list, words, masks, reason, nonce, deadline);
        _requireSignature(key, nonce, deadline, structHash, signature);
        _change(Change.REVOKE, key, issuer, list, words, masks, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function suspend(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external
        override
    {
        _useNonce(msg.sender);
        _change(Change.SUSPEND, msg.sender, issuer, list, words, masks, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function suspendBySig(
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason,
        address key,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external override {
        bytes32 structHash = _structHash(_SUSPEND_TYPEHASH, key, issuer, list, words, masks, reason, nonce, deadline);
        _requireSignature(key, nonce, deadline, structHash, signature);
        _change(Change.SUSPEND, key, issuer, list, words, masks, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function reinstate(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external
        override
    {
        _useNonce(msg.sender);
        _change(Change.REINSTATE, msg.sender, issuer, list, words, masks, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function reinstateBySig(
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason,
        address key,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external override {
        bytes32 structHash = _structHash(_REINSTATE_TYPEHASH, key, issuer, list, words, masks, reason, nonce, deadline);
        _requireSignature(key, nonce, deadline, structHash, signature);
        _change(Change.REINSTATE, key, issuer, list, words, masks, reason);
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
        _requireIssuer(issuer);
        uint16 epoch = _statusEpochOf(issuer);
        revoked = _revoked[issuer][epoch][list][word] & mask != 0;
        suspended = _suspended[issuer][epoch][list][word] & mask != 0;
    }

    /* PRIVATE */

    function _change(
        Change change,
        address key,
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason
    ) private {
        uint16 epoch = _requireStatusCall(key, issuer, reason);
        mapping(uint16 word => uint256 bits) storage bits =
            change == Change.REVOKE ? _revoked[issuer][epoch][list] : _suspended[issuer][epoch][list];
        uint256[] memory changed = _flip(bits, list, words, masks, change != Change.REINSTATE);
        bytes32 head = _extendHead(
            issuer,
            keccak256(abi.encode(_topicOf(change), issuer, list, epoch, words, changed, reason, key, _timestamp()))
        );
        if (change == Change.REVOKE) {
            emit CredentialsRevoked(issuer, list, epoch, words, changed, reason, key, _timestamp(), head);
        } else if (change == Change.SUSPEND) {
            emit CredentialsSuspended(issuer, list, epoch, words, changed, reason, key, _timestamp(), head);
        } else {
            emit CredentialsReinstated(issuer, list, epoch, words, changed, reason, key, _timestamp(), head);
        }
    }

    /// @dev Sets or clears bits, and returns those that really changed: each of the words must have one.
    function _flip(
        mapping(uint16 word => uint256 bits) storage bits,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        bool toSet
    ) private returns (uint256[] memory changed) {
        changed = _newChanges(words, masks);
        uint16 previous = 0;
        for (uint256 i = 0; i < words.length; ++i) {
            (uint16 word, uint256 mask) = (words[i], masks[i]);
            _requireOrder(i, previous, word);
            previous = word;
            uint256 old = bits[word];
            uint256 change = mask & (toSet ? ~old : old);
            bits[word] = old ^ change;
            // Checked after the write, which it undoes: side by side, read and write compute the word's slot only once.
            if (change == 0) revert NothingChanges(list, word);
            changed[i] = change;
        }
    }

    function _topicOf(Change change) private pure returns (bytes32) {
        if (change == Change.REVOKE) return CredentialsRevoked.selector;
        return change == Change.SUSPEND ? CredentialsSuspended.selector : CredentialsReinstated.selector;
    }

    /// @dev EIP-712: an array's hash is that of its members, each as 32 bytes, which is how `encodePacked` writes them.
    function _structHash(
        bytes32 typeHash,
        address key,
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason,
        uint256 nonce,
        uint40 deadline
    ) private pure returns (bytes32) {
        bytes32 wordsHash = keccak256(abi.encodePacked(words));
        bytes32 masksHash = keccak256(abi.encodePacked(masks));
        return keccak256(abi.encode(typeHash, key, issuer, list, wordsHash, masksHash, reason, nonce, deadline));
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
