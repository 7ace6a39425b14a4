// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, MAX_DID_LENGTH, MAX_REASON} from "../interfaces/ICredentialRegistry.sol";
import {Roles} from "./Roles.sol";

/// @title Accreditation, control, and the record of each issuer
abstract contract Issuers is Roles {
    /* TYPES */

    /// @dev What may come next for an issuer. Apart from its record, which verifiers prove. One storage slot.
    struct Next {
        /// Who was offered control and has not accepted. Bits 0-159.
        address controller;
        /// Status epoch after the current one; 0 for 1, as long as no epoch has changed. Bits 160-175.
        uint16 statusEpoch;
    }

    /* CONSTANTS */

    /// @dev What every DID starts with (W3C DID Core).
    bytes4 private constant _DID_SCHEME = "did:";

    /* STORAGE */

    mapping(uint32 issuer => Issuer record) private _issuers;
    mapping(bytes32 didHash => uint32 issuer) private _issuerOfDid;
    uint32 private _issuerCount;

    mapping(uint32 issuer => Next record) private _next;

    /* EXTERNAL */

    /// @inheritdoc ICredentialRegistry
    function accredit(string calldata did, address controller)
        external
        override
        onlyRole(ACCREDITOR_ROLE)
        returns (uint32 issuer)
    {
        // A cast of a shorter string pads with zeros, so this also refuses the empty one.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (bytes4(bytes(did)) != _DID_SCHEME) revert InvalidDid(did);
        if (bytes(did).length > MAX_DID_LENGTH) revert DidTooLong(bytes(did).length, MAX_DID_LENGTH);
        if (controller == address(0)) revert InvalidController(controller);
        bytes32 didHash = keccak256(bytes(did));
        if (_issuerOfDid[didHash] != 0) revert DidAlreadyAccredited(didHash, _issuerOfDid[didHash]);

        issuer = ++_issuerCount;
        _issuerOfDid[didHash] = issuer;
        bytes32 eventHash = keccak256(
            abi.encode(IssuerAccredited.selector, issuer, didHash, did, controller, msg.sender, _timestamp())
        );
        bytes32 head = _extended(_firstHead(issuer), eventHash);
        _issuers[issuer] = Issuer({
            controller: controller,
            accreditedAt: _timestamp(),
            withdrawnAt: 0,
            statusEpoch: 0,
            didHash: didHash,
            head: head
        });
        emit IssuerAccredited(
            issuer, didHash, did, controller, msg.sender, _timestamp(), head, _extendRegistryHead(eventHash)
        );
    }

    /// @inheritdoc ICredentialRegistry
    function withdraw(uint32 issuer, uint40 withdrawnAt, uint8 reason) external override onlyRole(ACCREDITOR_ROLE) {
        _requireIssuer(issuer);
        _requireReason(reason);
        _requireNotWithdrawn(issuer);
        // From the next second on, so that nothing anchored in this block before this call loses its ground.
        if (withdrawnAt == 0) withdrawnAt = _timestamp() + 1;
        if (withdrawnAt <= _timestamp()) revert WithdrawalInPast(withdrawnAt, _timestamp());
        uint40 current = _issuers[issuer].withdrawnAt;
        if (current != 0 && withdrawnAt >= current) revert WithdrawalNotEarlier(issuer, withdrawnAt, current);

        _issuers[issuer].withdrawnAt = withdrawnAt;
        bytes32 eventHash = keccak256(
            abi.encode(AccreditationWithdrawn.selector, issuer, withdrawnAt, reason, msg.sender, _timestamp())
        );
        bytes32 head = _extendHead(issuer, eventHash);
        emit AccreditationWithdrawn(
            issuer, withdrawnAt, reason, msg.sender, _timestamp(), head, _extendRegistryHead(eventHash)
        );
    }

    /// @inheritdoc ICredentialRegistry
    function transferController(uint32 issuer, address controller) external override {
        _requireController(issuer, msg.sender);
        if (controller == msg.sender) revert AlreadyController(issuer, controller);
        if (controller == _next[issuer].controller) revert ControllerOfferUnchanged(issuer, controller);

        _next[issuer].controller = controller;
        bytes32 head = _extendHead(
            issuer,
            keccak256(abi.encode(ControllerTransferStarted.selector, issuer, controller, msg.sender, _timestamp()))
        );
        emit ControllerTransferStarted(issuer, controller, msg.sender, _timestamp(), head);
    }

    /// @inheritdoc ICredentialRegistry
    function acceptController(uint32 issuer) external override {
        _requireIssuer(issuer);
        if (msg.sender != _next[issuer].controller) revert NotPendingController(issuer, msg.sender);

        _issuers[issuer].controller = msg.sender;
        _next[issuer].controller = address(0);
        bytes32 head = _extendHead(
            issuer, keccak256(abi.encode(ControllerTransferred.selector, issuer, msg.sender, msg.sender, _timestamp()))
        );
        emit ControllerTransferred(issuer, msg.sender, msg.sender, _timestamp(), head);
    }

    /// @inheritdoc ICredentialRegistry
    function issuerOf(uint32 issuer) external view override returns (Issuer memory) {
        return _issuers[issuer];
    }

    /// @inheritdoc ICredentialRegistry
    function issuerOfDid(bytes32 didHash) external view override returns (uint32) {
        return _issuerOfDid[didHash];
    }

    /// @inheritdoc ICredentialRegistry
    function pendingControllerOf(uint32 issuer) external view override returns (address) {
        return _next[issuer].controller;
    }

    /// @inheritdoc ICredentialRegistry
    function nextStatusEpochOf(uint32 issuer) external view override returns (uint16) {
        _requireIssuer(issuer);
        return _nextStatusEpoch(issuer);
    }

    /// @inheritdoc ICredentialRegistry
    function issuerCount() external view override returns (uint32) {
        return _issuerCount;
    }

    /// @inheritdoc ICredentialRegistry
    function registryHead() external view override returns (bytes32) {
        return _currentRegistryHead();
    }

    /* INTERNAL */

    /// @dev Adds an event to the issuer's head and returns the new one, for the log.
    function _extendHead(uint32 issuer, bytes32 eventHash) internal returns (bytes32 head) {
        Issuer storage record = _issuers[issuer];
        head = _extended(record.head, eventHash);
        record.head = head;
    }

    /// @dev Makes a status epoch current, and says which comes next. The last one there is never becomes current.
    function _setStatusEpochs(uint32 issuer, uint16 epoch, uint256 nextEpoch) internal {
        if (nextEpoch > type(uint16).max) revert StatusEpochsExhausted(issuer);
        // forge-lint: disable-next-line(unsafe-typecast)
        uint16 next = uint16(nextEpoch);
        _issuers[issuer].statusEpoch = epoch;
        _next[issuer].statusEpoch = next;
        bytes32 head = _extendHead(
            issuer, keccak256(abi.encode(StatusEpochChanged.selector, issuer, epoch, next, msg.sender, _timestamp()))
        );
        emit StatusEpochChanged(issuer, epoch, next, msg.sender, _timestamp(), head);
    }

    /// @dev Current status epoch. The issuer must exist.
    function _statusEpochOf(uint32 issuer) internal view returns (uint16) {
        return _issuers[issuer].statusEpoch;
    }

    /// @dev Status epoch after the current one. Until an epoch changes it is not stored, but 1.
    function _nextStatusEpoch(uint32 issuer) internal view returns (uint16 epoch) {
        epoch = _next[issuer].statusEpoch;
        if (epoch == 0) epoch = 1;
    }

    /// @dev When the accreditation ended or will end; 0 if never. The issuer must exist.
    function _withdrawnAtOf(uint32 issuer) internal view returns (uint40) {
        return _issuers[issuer].withdrawnAt;
    }

    function _requireIssuer(uint32 issuer) internal view {
        if (_issuers[issuer].accreditedAt == 0) revert UnknownIssuer(issuer);
    }

    function _requireController(uint32 issuer, address caller) internal view {
        _requireIssuer(issuer);
        if (_issuers[issuer].controller != caller) revert NotController(issuer, caller);
    }

    /// @dev The issuer must exist: a bound key and a controller show that it does.
    function _requireNotWithdrawn(uint32 issuer) internal view {
        uint40 withdrawnAt = _issuers[issuer].withdrawnAt;
        if (withdrawnAt != 0 && withdrawnAt <= _timestamp()) revert IssuerWithdrawn(issuer, withdrawnAt);
    }

    function _requireReason(uint8 reason) internal pure {
        if (reason == 0 || reason > MAX_REASON) revert InvalidReason(reason);
    }
}
